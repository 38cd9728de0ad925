//! IndexedDB: records and renditions, read in one transaction a batch.
//!
//! Database `miniature:{account}`, version 2:
//!
//! | store | key | value |
//! | --- | --- | --- |
//! | `records` | user id | `{known, held, used_at}`: the record as JSON text, the image whose bytes are held |
//! | `renditions` | `{image id}/{size}` | `{type, bytes: ArrayBuffer}` |
//! | `uses` | a key of the two above | `{bytes, used_at, rank}`, by age: renditions (0) before records (1) |
//! | `sums` | `all` | `{entries, bytes}` of all `uses` |
//! | `pages` | kind and name | `{text, kind, stored_at}`, by kind (friends 0, profiles 1) and age |
//!
//! Uses stand apart, so that noting a use never rewrites a picture. Their sum is kept by each
//! write, so that nothing ever lists the layer. Bytes are ArrayBuffers, not Blobs: WebKit refuses
//! Blobs in private sessions.
//!
//! **Invariants:** inside a transaction nothing is awaited but its requests. What was begun ends,
//! even if the caller has stopped waiting. While the bytes of a user's newer image are not stored,
//! those of the older one stay, and `held` names them.

mod accounts;
mod cause;
mod connection;
mod evict;
mod inventory;
mod ledger;
mod place;
mod read;
mod request;
mod row;
mod shelf;
mod write;

use wasm_bindgen::JsValue;

pub use accounts::accounts;
pub use shelf::IndexedDbShelf;

/// Begins the names of databases.
const PREFIX: &str = "miniature:";

const RECORDS: &str = "records";
const RENDITIONS: &str = "renditions";
const USES: &str = "uses";
const SUMS: &str = "sums";
const PAGES: &str = "pages";
const ALL_STORES: &[&str] = &[RECORDS, RENDITIONS, USES, SUMS, PAGES];

/// The index on `uses`, and the one on `pages`.
const BY_AGE: &str = "by_age";

/// What came of requests, or what was thrown.
type Done<T> = Result<T, JsValue>;
