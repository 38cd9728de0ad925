//! IndexedDB: records and renditions, read in one transaction a batch.
//!
//! Database `miniature:{account}`, version 1:
//!
//! | store | key | value |
//! | --- | --- | --- |
//! | `records` | user id | record and when it was checked, JSON text |
//! | `renditions` | `{image id}/{size}` | `{type, bytes: ArrayBuffer}` |
//! | `uses` | a key of the two above | `{bytes, used_at}` |
//! | `pages` | name | `{text, stored_at}`, with an index on `stored_at` |
//!
//! Uses stand apart, so that the inventory never reads pictures and noting a use never rewrites
//! one. Bytes are ArrayBuffers, not Blobs: WebKit refuses Blobs in private sessions.
//!
//! **Invariants:** inside a transaction nothing is awaited but IndexedDB. What was begun ends, even
//! if the caller has stopped waiting.

mod cause;
mod connection;
mod pages;
mod row;
mod shelf;

pub use shelf::IndexedDbShelf;

const RECORDS: &str = "records";
const RENDITIONS: &str = "renditions";
const USES: &str = "uses";
const PAGES: &str = "pages";
const STORED_AT: &str = "stored_at";
