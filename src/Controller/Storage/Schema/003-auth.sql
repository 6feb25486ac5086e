-- Who may log in. Times are CLOCK_REALTIME of the controller, in ns.
CREATE TABLE users (
  id            TEXT    PRIMARY KEY,
  username      TEXT    NOT NULL UNIQUE COLLATE NOCASE,
  email         TEXT,
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  is_active     INTEGER NOT NULL,
  first_login   INTEGER NOT NULL,          -- 1: the password is somebody else's, and is to be changed first
  version       INTEGER NOT NULL,          -- raised by what ends every access token at once
  created_ns    INTEGER NOT NULL,
  last_login_ns INTEGER,
  failures      INTEGER NOT NULL DEFAULT 0,
  locked_until_ns INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- One row for each refresh token that was ever given; a used one that comes again ends its family.
CREATE TABLE refresh_tokens (
  hash       BLOB    PRIMARY KEY,          -- SHA-256
  family     TEXT    NOT NULL,
  user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_ns INTEGER NOT NULL,
  used_ns    INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_by_family ON refresh_tokens (family);
CREATE INDEX refresh_by_user ON refresh_tokens (user_id);

-- For scripts.
CREATE TABLE service_tokens (
  id           TEXT    PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  hash         BLOB    NOT NULL UNIQUE,    -- SHA-256
  role         TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_ns   INTEGER NOT NULL,
  expires_ns   INTEGER
) WITHOUT ROWID;

CREATE TABLE signing_keys (
  kid        TEXT    PRIMARY KEY,
  secret     BLOB    NOT NULL,
  created_ns INTEGER NOT NULL
) WITHOUT ROWID;

-- Who did what, when, from where: appended, never edited.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ns   INTEGER NOT NULL,
  who     TEXT    NOT NULL,
  action  TEXT    NOT NULL,                -- method and route
  target  TEXT    NOT NULL,
  status  INTEGER NOT NULL,                -- of the HTTP answer
  remote  TEXT    NOT NULL
);
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not edited'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not cut'); END;
