-- +goose Up
CREATE TABLE IF NOT EXISTS received (
    id      VARCHAR(255) PRIMARY KEY,
    at      BIGINT,
    due     BIGINT,
    owner   VARCHAR(255) NOT NULL,
    version BIGINT NOT NULL,
    request MEDIUMTEXT,
    press   MEDIUMTEXT,
    INDEX received_due (due, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
