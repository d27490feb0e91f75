-- +goose Up
CREATE TABLE IF NOT EXISTS events (
    seq        BIGINT AUTO_INCREMENT PRIMARY KEY,
    operation  VARCHAR(255) NOT NULL,
    at         BIGINT,
    who        VARCHAR(255) NOT NULL,
    from_state VARCHAR(255) NOT NULL,
    to_state   VARCHAR(255) NOT NULL,
    note       MEDIUMTEXT NOT NULL,
    INDEX events_operation (operation, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
