-- +goose Up
CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    operation  TEXT NOT NULL,
    at         INTEGER,
    who        TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    note       TEXT NOT NULL
);
CREATE INDEX events_operation ON events (operation, seq);
