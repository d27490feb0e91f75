-- +goose Up
-- A row stays when nobody holds its scope; operation is empty then.
CREATE TABLE IF NOT EXISTS scopes (
    scope     VARCHAR(255) PRIMARY KEY,
    operation VARCHAR(255) NOT NULL,
    INDEX scopes_operation (operation)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
