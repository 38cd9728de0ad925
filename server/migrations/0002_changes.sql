-- Counts up at every change of the profile, its picture included: of two copies, the higher is newer.
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

-- When they were last signed in and asked for something, to within some minutes.
ALTER TABLE users ADD COLUMN active_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX users_by_activity ON users (active_at);
