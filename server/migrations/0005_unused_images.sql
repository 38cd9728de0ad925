-- Since when nobody may show an image, in seconds since 1970: none if someone did when last looked,
-- 0 if that was never looked at.
ALTER TABLE images ADD COLUMN unused_since BIGINT DEFAULT 0;

-- Since when an instance is removing it: nobody may begin to show it then.
ALTER TABLE images ADD COLUMN being_removed_since BIGINT;

-- Another each time an image that was removed comes back.
ALTER TABLE images ADD COLUMN life TEXT NOT NULL DEFAULT '';

CREATE INDEX images_by_disuse ON images (unused_since);
CREATE INDEX users_by_image ON users (image_id);
CREATE INDEX posts_by_image ON posts (author_image_id);
