-- What thbot may do to accounts on MySQL 5.7, or 8.0.14 and later, and nothing else.
--
-- Run it on the primary, as an administrator, with the client "mysql". Replicas get
-- it by replication. Then name the service accounts whose passwords thbot may change,
-- and make its own account. When the script is run again, the GRANT EXECUTE are needed
-- again: they go with the old procedures.
--
--   INSERT INTO thops.services (name) VALUES ('th_admin'), ('redash');
--   CREATE USER 'thbot'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--   GRANT EXECUTE ON PROCEDURE thops.ro_create TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_grant TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_rotate TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_lock TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_drop TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_list TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_sessions TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.ro_kill TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.service_password TO 'thbot'@'%';
--   GRANT EXECUTE ON PROCEDURE thops.service_discard TO 'thbot'@'%';
--   GRANT SELECT ON treeherder.django_migrations TO 'thbot'@'%';
--
-- The procedures run with the rights of 'thops'@'localhost', which is locked: nobody
-- can log in to it. In MySQL 8 give every administrator SYSTEM_USER, so that it cannot
-- touch them either. In MySQL 5.7 write SUPER where CONNECTION_ADMIN stands.

SET NAMES utf8mb4;
SET SESSION sql_mode = CONCAT('STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', IF(VERSION() LIKE '5.%', ',NO_AUTO_CREATE_USER', ''));

-- What is compared in the procedures is compared by this collation: upper case is not lower case.
CREATE DATABASE IF NOT EXISTS thops;
ALTER DATABASE thops CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS thops.accounts (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  mark VARCHAR(64) NOT NULL,
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS thops.services (
  name VARCHAR(32) NOT NULL PRIMARY KEY
);

CREATE USER IF NOT EXISTS 'thops'@'localhost' REQUIRE SSL ACCOUNT LOCK;
ALTER USER 'thops'@'localhost' REQUIRE SSL ACCOUNT LOCK;
GRANT CREATE USER, PROCESS ON *.* TO 'thops'@'localhost';
GRANT CONNECTION_ADMIN ON *.* TO 'thops'@'localhost';
GRANT SELECT ON treeherder.* TO 'thops'@'localhost' WITH GRANT OPTION;
GRANT SELECT ON mysql.user TO 'thops'@'localhost';
GRANT SELECT ON mysql.db TO 'thops'@'localhost';
GRANT SELECT, INSERT, DELETE ON thops.accounts TO 'thops'@'localhost';
GRANT SELECT ON thops.services TO 'thops'@'localhost';
GRANT EXECUTE ON thops.* TO 'thops'@'localhost';

DELIMITER //

-- Refuses names that are not of accounts that thbot makes.
DROP PROCEDURE IF EXISTS thops.check_name //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.check_name(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  -- The first condition is there for line ends, before which $ matches too.
  IF p_name IS NULL OR p_name REGEXP '[^a-z0-9_]' OR p_name NOT REGEXP '^ro_[a-z][a-z0-9_]{1,27}$' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not a name of an account that thbot makes';
  END IF;
END //

-- Refuses what is not a hash: an argument of CALL is logged as it is.
DROP PROCEDURE IF EXISTS thops.check_secret //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.check_secret(p_secret VARCHAR(128))
SQL SECURITY DEFINER
BEGIN
  IF p_secret IS NULL OR p_secret REGEXP '[^*$./0-9A-Za-z]'
    OR p_secret NOT REGEXP '^([*][0-9A-F]{40}|[$]A[$]005[$][./0-9A-Za-z]{63})$' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not a hash of a password';
  END IF;
END //

-- Makes an account without rights.
DROP PROCEDURE IF EXISTS thops.ro_create //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_create(
  p_name VARCHAR(64), p_secret VARCHAR(128), p_mark VARCHAR(128), p_connections INT, p_seconds INT, p_days INT)
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_name(p_name);
  CALL thops.check_secret(p_secret);
  IF p_mark IS NULL OR p_mark REGEXP '[^0-9A-Za-z_-]' OR CHAR_LENGTH(p_mark) NOT BETWEEN 1 AND 64
    OR p_connections IS NULL OR p_connections NOT BETWEEN 1 AND 1000
    OR p_seconds IS NULL OR p_seconds NOT BETWEEN 1 AND 86400
    OR p_days IS NULL OR p_days NOT BETWEEN 0 AND 3650 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the mark or a limit is out of bounds';
  END IF;
  IF EXISTS (SELECT 1 FROM mysql.user WHERE User = p_name) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1396, MESSAGE_TEXT = 'there is such an account already';
  END IF;
  -- The mark comes first: without its account it means nothing.
  DELETE FROM thops.accounts WHERE name = p_name;
  INSERT INTO thops.accounts (name, mark) VALUES (p_name, p_mark);
  SET @thops = CONCAT('CREATE USER ', QUOTE(p_name), '@''%''',
    ' IDENTIFIED WITH ', IF(LEFT(p_secret, 1) = '*', 'mysql_native_password', 'caching_sha2_password'), ' AS ', QUOTE(p_secret),
    ' REQUIRE SSL WITH MAX_USER_CONNECTIONS ', p_connections,
    IF(p_days > 0, CONCAT(' PASSWORD EXPIRE INTERVAL ', p_days, ' DAY'), ''));
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

-- Lets an account read treeherder.
DROP PROCEDURE IF EXISTS thops.ro_grant //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_grant(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_name(p_name);
  SET @thops = CONCAT('GRANT SELECT ON treeherder.* TO ', QUOTE(p_name), '@''%''');
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

-- Changes the password of an account.
DROP PROCEDURE IF EXISTS thops.ro_rotate //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_rotate(p_name VARCHAR(64), p_secret VARCHAR(128))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_name(p_name);
  CALL thops.check_secret(p_secret);
  SET @thops = CONCAT('ALTER USER ', QUOTE(p_name), '@''%''',
    ' IDENTIFIED WITH ', IF(LEFT(p_secret, 1) = '*', 'mysql_native_password', 'caching_sha2_password'), ' AS ', QUOTE(p_secret));
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

-- Locks an account.
DROP PROCEDURE IF EXISTS thops.ro_lock //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_lock(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_name(p_name);
  SET @thops = CONCAT('ALTER USER ', QUOTE(p_name), '@''%'' ACCOUNT LOCK');
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

-- Removes an account.
DROP PROCEDURE IF EXISTS thops.ro_drop //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_drop(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_name(p_name);
  SET @thops = CONCAT('DROP USER ', QUOTE(p_name), '@''%''');
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
  DELETE FROM thops.accounts WHERE name = p_name;
END //

-- Lists the accounts.
DROP PROCEDURE IF EXISTS thops.ro_list //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_list()
SQL SECURITY DEFINER
BEGIN
  SELECT u.User, u.Host, u.ssl_type, COALESCE(d.Select_priv, 'N'), u.account_locked, COALESCE(a.mark, '')
    FROM mysql.user u
    LEFT JOIN mysql.db d ON d.User = u.User AND d.Host = u.Host AND d.Db = 'treeherder'
    LEFT JOIN thops.accounts a ON a.name = u.User AND u.Host = '%'
    WHERE LEFT(u.User, 3) = 'ro_'
    ORDER BY u.User, u.Host;
END //

-- Lists the sessions of an account on this server.
DROP PROCEDURE IF EXISTS thops.ro_sessions //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_sessions(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  CALL thops.check_name(p_name);
  SELECT id, host, COALESCE(db, ''), command, time FROM information_schema.processlist
    WHERE user = p_name AND command <> 'Killed'
    ORDER BY id;
END //

-- Ends a session of an account on this server.
DROP PROCEDURE IF EXISTS thops.ro_kill //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.ro_kill(p_name VARCHAR(64), p_id BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
  CALL thops.check_name(p_name);
  IF NOT EXISTS (SELECT 1 FROM information_schema.processlist WHERE id = p_id AND user = p_name) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1094, MESSAGE_TEXT = 'there is no such session of this account';
  END IF;
  KILL CONNECTION p_id;
END //

-- Refuses accounts that thops.services does not name.
DROP PROCEDURE IF EXISTS thops.check_service //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.check_service(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  IF p_name IS NULL OR NOT EXISTS (SELECT 1 FROM thops.services WHERE name = p_name) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'thops.services does not name this account';
  END IF;
END //

-- Changes the password of a service account to the hash of its plugin. In MySQL 8
-- the old one stays valid, until service_discard.
DROP PROCEDURE IF EXISTS thops.service_password //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.service_password(
  p_name VARCHAR(64), p_native VARCHAR(128), p_sha2 VARCHAR(128))
SQL SECURITY DEFINER
BEGIN
  DECLARE p_plugin VARCHAR(64);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_service(p_name);
  CALL thops.check_secret(p_native);
  CALL thops.check_secret(p_sha2);
  -- The account keeps its plugin: else the old password could not stay.
  SELECT plugin INTO p_plugin FROM mysql.user WHERE User = p_name AND Host = '%';
  SET @thops = CONCAT('ALTER USER ', QUOTE(p_name), '@''%'' IDENTIFIED WITH ',
    IF(p_plugin = 'mysql_native_password', 'mysql_native_password', 'caching_sha2_password'), ' AS ',
    QUOTE(IF(p_plugin = 'mysql_native_password', p_native, p_sha2)),
    IF(VERSION() LIKE '5.%', '', ' RETAIN CURRENT PASSWORD'));
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

-- Ends the old password of a service account.
DROP PROCEDURE IF EXISTS thops.service_discard //
CREATE DEFINER = 'thops'@'localhost' PROCEDURE thops.service_discard(p_name VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    SET @thops = NULL;
    RESIGNAL;
  END;
  CALL thops.check_service(p_name);
  SET @thops = CONCAT('ALTER USER ', QUOTE(p_name), '@''%'' DISCARD OLD PASSWORD');
  PREPARE thops_statement FROM @thops;
  EXECUTE thops_statement;
  DEALLOCATE PREPARE thops_statement;
  SET @thops = NULL;
END //

DELIMITER ;
