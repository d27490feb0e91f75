-- +goose Up
CREATE TABLE received (
    id      TEXT PRIMARY KEY,
    at      INTEGER,
    due     INTEGER,
    owner   TEXT NOT NULL,
    version INTEGER NOT NULL,
    request TEXT,
    press   TEXT
);
CREATE INDEX received_due ON received (due, id) WHERE due IS NOT NULL;
