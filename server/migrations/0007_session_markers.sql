-- Names the session to the page: `{user_id}.{8 hex digits}`. Pages that signed in before hold the id
-- alone.
ALTER TABLE sessions ADD COLUMN marker TEXT NOT NULL DEFAULT '';
UPDATE sessions SET marker = user_id;
