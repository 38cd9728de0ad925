-- Written so that PostgreSQL takes it too. Times are seconds since 1970, UTC.

CREATE TABLE users (
    id            TEXT   PRIMARY KEY,
    name          TEXT   NOT NULL,
    headline      TEXT   NOT NULL,
    password_hash TEXT,                      -- none: cannot sign in
    revision      BIGINT NOT NULL DEFAULT 0, -- counts up at every change of picture, removal included
    image_id      TEXT,
    thumbhash     TEXT
);

-- Both directions are stored, so that a list is one range of this key.
CREATE TABLE friendships (
    user_id   TEXT NOT NULL REFERENCES users (id),
    friend_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (user_id, friend_id)
);

-- The token itself is with the browser alone.
CREATE TABLE sessions (
    token_hash TEXT   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_expiry ON sessions (expires_at);
