-- What people write, each with its author as of then: a feed is read without asking who they are.
CREATE TABLE posts (
    id               TEXT   PRIMARY KEY, -- a UUID, version 7: sorts by the time of writing
    author_id        TEXT   NOT NULL REFERENCES users (id),
    body             TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    author_name      TEXT   NOT NULL,
    author_revision  BIGINT NOT NULL,
    author_image_id  TEXT,
    author_thumbhash TEXT,
    author_version   BIGINT NOT NULL,    -- the version of the profile that this was taken from
    author_as_of     BIGINT NOT NULL     -- when that was last known to be so
);

-- A feed is the newest out of several of these; the second column gives their order.
CREATE INDEX posts_by_author ON posts (author_id, id);
