-- +goose Up
-- A row stays when nobody holds its scope; operation is empty then.
CREATE TABLE scopes (
    scope     TEXT PRIMARY KEY,
    operation TEXT NOT NULL
);
CREATE INDEX scopes_operation ON scopes (operation);
