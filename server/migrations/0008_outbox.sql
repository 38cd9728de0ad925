-- Changes that are to be announced. A row is written with its change and removed once it was announced.
-- Times are milliseconds since 1970.
CREATE TABLE outbox (
    id         TEXT   PRIMARY KEY, -- names the change, so that a repeat is known for one
    payload    TEXT   NOT NULL,    -- the change, as JSON
    version    BIGINT,             -- that the profile has since; none for a post
    written_at BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL     -- when an instance last began to announce it
);

CREATE INDEX outbox_by_claim ON outbox (claimed_at);
