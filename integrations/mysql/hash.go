package mysql

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
)

// native is the hash of mysql_native_password: SHA1 of SHA1. MariaDB writes the
// password of a CREATE or ALTER USER as it is into its general and binary logs
// and into its replica's, so it is given nothing but this.
func (p Password) native() string {
	once := sha1.Sum([]byte(p.text))
	return fmt.Sprintf("*%X", sha1.Sum(once[:]))
}

// digits are those of crypt(3), and of a salt.
const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// cachingSHA2 is a hash of caching_sha2_password. MySQL keeps passwords of
// CREATE and ALTER USER out of its logs, but not the arguments of a CALL.
func (p Password) cachingSHA2() string {
	salt := make([]byte, 20)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	for i := range salt {
		salt[i] = digits[salt[i]%64]
	}
	return "$A$005$" + string(salt) + sha256crypt([]byte(p.text), salt)
}

// sha256crypt is SHA-crypt (akkadia.org/drepper/SHA-crypt.txt) with the 5000
// rounds, and without the limit of the salt, of MySQL's crypt_genhash_impl.cc.
func sha256crypt(password, salt []byte) string {
	sum := func(parts ...[]byte) []byte {
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	stretched := func(b []byte, length int) []byte {
		var out []byte
		for len(out) < length {
			out = append(out, b...)
		}
		return out[:length]
	}
	repeated := func(b []byte, times int) []byte { return stretched(b, len(b)*times) }

	mixed := sum(password, salt, password)
	first := [][]byte{password, salt, stretched(mixed, len(password))}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			first = append(first, mixed)
		} else {
			first = append(first, password)
		}
	}
	digest := sum(first...)
	p := stretched(sum(repeated(password, len(password))), len(password))
	s := stretched(sum(repeated(salt, 16+int(digest[0]))), len(salt))
	for round := range 5000 {
		begin, end := digest, p
		if round%2 == 1 {
			begin, end = p, digest
		}
		parts := [][]byte{begin}
		if round%3 != 0 {
			parts = append(parts, s)
		}
		if round%7 != 0 {
			parts = append(parts, p)
		}
		digest = sum(append(parts, end)...)
	}

	var out strings.Builder
	write := func(a, b, c byte, n int) {
		for w := uint(a)<<16 | uint(b)<<8 | uint(c); n > 0; n-- {
			out.WriteByte(digits[w%64])
			w /= 64
		}
	}
	for _, i := range [][3]int{{0, 10, 20}, {21, 1, 11}, {12, 22, 2}, {3, 13, 23}, {24, 4, 14},
		{15, 25, 5}, {6, 16, 26}, {27, 7, 17}, {18, 28, 8}, {9, 19, 29}} {
		write(digest[i[0]], digest[i[1]], digest[i[2]], 4)
	}
	write(0, digest[31], digest[30], 3)
	return out.String()
}
