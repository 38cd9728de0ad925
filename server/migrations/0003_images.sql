-- What is known of an image's renditions without reading them. It follows from the image alone.
CREATE TABLE images (
    image_id     TEXT   PRIMARY KEY,
    content_type TEXT   NOT NULL,
    edge         BIGINT NOT NULL, -- of the master, in pixels; all are square
    bytes_64     BIGINT NOT NULL,
    bytes_128    BIGINT NOT NULL,
    bytes_256    BIGINT NOT NULL,
    bytes_512    BIGINT NOT NULL,
    thumbhash    TEXT   NOT NULL
);
