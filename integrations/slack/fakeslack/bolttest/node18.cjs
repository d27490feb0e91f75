// Bolt asks for Node.js 20; Debian 12 has 18. These are all that its packages
// miss there. Where they exist, nothing is changed.
'use strict';

const buffer = require('node:buffer');
const crypto = require('node:crypto');

globalThis.File ??= buffer.File;

// Lone surrogates become U+FFFD, as on the way through UTF-8.
String.prototype.toWellFormed ??= function toWellFormed() {
  return buffer.Buffer.from(String(this)).toString();
};

crypto.hash ??= (algorithm, data, encoding = 'hex') => crypto.createHash(algorithm).update(data).digest(encoding);
