-- +goose Up
CREATE TABLE IF NOT EXISTS messages (
    id        VARCHAR(255) PRIMARY KEY,
    operation VARCHAR(255) NOT NULL,
    class     BIGINT NOT NULL,
    place     MEDIUMTEXT NOT NULL,
    card      MEDIUMTEXT,
    wanted    BIGINT NOT NULL,
    sent      BIGINT NOT NULL,
    chat_id   VARCHAR(255) NOT NULL,
    tries     BIGINT NOT NULL,
    dead      MEDIUMTEXT NOT NULL,
    due       BIGINT,
    owner     VARCHAR(255) NOT NULL,
    version   BIGINT NOT NULL,
    created   BIGINT,
    INDEX messages_due (due, created, id),
    INDEX messages_operation (operation)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
