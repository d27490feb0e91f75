-- +goose Up
CREATE TABLE operations (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    about      TEXT NOT NULL,
    ref        TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    turn       INTEGER NOT NULL,
    entered    INTEGER,
    due        INTEGER,
    owner      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    acts       INTEGER NOT NULL,
    asking     TEXT NOT NULL,
    scopes     TEXT,
    channel    TEXT NOT NULL,
    asked      TEXT NOT NULL,
    asked_name TEXT NOT NULL,
    presses    TEXT,
    created    INTEGER,
    trouble    TEXT,
    data       TEXT
);
CREATE INDEX operations_due ON operations (due, id) WHERE due IS NOT NULL;
CREATE INDEX operations_asked ON operations (asked, created);
CREATE INDEX operations_about ON operations (about, created);
CREATE INDEX operations_outcome ON operations (outcome, state, created);
CREATE INDEX operations_created ON operations (created);
