-- Which history of this database revisions belong to. The first server that opens the database writes
-- the row; `miniature-server lineage renew` replaces it.
CREATE TABLE lineage (
    id   BIGINT PRIMARY KEY CHECK (id = 1), -- one row
    name TEXT   NOT NULL
);
