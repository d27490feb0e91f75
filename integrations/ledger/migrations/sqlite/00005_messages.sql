-- +goose Up
CREATE TABLE messages (
    id        TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    class     INTEGER NOT NULL,
    place     TEXT NOT NULL,
    card      TEXT,
    wanted    INTEGER NOT NULL,
    sent      INTEGER NOT NULL,
    chat_id   TEXT NOT NULL,
    tries     INTEGER NOT NULL,
    dead      TEXT NOT NULL,
    due       INTEGER,
    owner     TEXT NOT NULL,
    version   INTEGER NOT NULL,
    created   INTEGER
);
CREATE INDEX messages_due ON messages (due, created, id) WHERE due IS NOT NULL;
CREATE INDEX messages_dead ON messages (created) WHERE dead <> '';
CREATE INDEX messages_operation ON messages (operation);
