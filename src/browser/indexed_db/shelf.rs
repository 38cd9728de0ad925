//! The shelf of one account.

use futures_util::future::try_join;
use miniature_api::UserId;
use rexie::{Store, Transaction, TransactionMode};
use wasm_bindgen::JsValue;

use super::{RECORDS, RENDITIONS, USES, connection::Connection, row};
use crate::cache::{
    clock::Timestamp,
    entry::{CheckedRecord, Entry, Found, Held, Rendition},
    join,
    key::{Key, Lookup, RenditionKey, Source},
    layer::{CacheLayer, LayerError},
};

/// Records, renditions and pages of one account, in IndexedDB.
#[derive(Clone, Debug)]
pub struct IndexedDbShelf {
    connection: Connection,
}

/// What a lookup found, and what of it cannot be read.
type Rows = Vec<(Found, Vec<Key>)>;

/// What is written under a name, and the bytes that it takes.
struct Line {
    store: &'static str,
    name: JsValue,
    row: JsValue,
    bytes: u64,
}

impl IndexedDbShelf {
    /// The shelf of `account`. The database is opened at the first use.
    pub fn new(account: &UserId) -> Self {
        Self { connection: Connection::new(format!("miniature:{account}")) }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn read(&self, lookups: &[Lookup]) -> Result<Rows, LayerError> {
        let lookups = lookups.to_vec();
        let work = async move |transaction: &Transaction| {
            let records = transaction.store(RECORDS)?;
            let renditions = transaction.store(RENDITIONS)?;
            // A rendition is asked for as soon as its record is there, whatever the others do.
            let found = lookups.iter().map(|lookup| find(lookup, &records, &renditions));
            join::all(found).await.into_iter().collect()
        };
        self.connection.run(&[RECORDS, RENDITIONS], TransactionMode::ReadOnly, work).await
    }
}

fn name(text: &str) -> JsValue {
    JsValue::from(text)
}

/// Reads a record and then its rendition.
async fn find(
    lookup: &Lookup,
    records: &Store,
    renditions: &Store,
) -> rexie::Result<(Found, Vec<Key>)> {
    let user = &lookup.wanted.user;
    let mut corrupt = Vec::new();
    let row = records.get(name(user.as_str())).await?;
    let record = row.and_then(|row| {
        row::read_record(&row, user).inspect_err(|_| corrupt.push(Key::User(user.clone()))).ok()
    });
    let image = lookup.image.or_else(|| record.as_ref().and_then(|known| known.record.image_id));
    let Some(image) = image else { return Ok((Found { record, rendition: None }, corrupt)) };
    let key = RenditionKey { image, size: lookup.wanted.size };
    let row = renditions.get(name(&row::name_of(&Key::Rendition(key)))).await?;
    let rendition = row.and_then(|row| {
        row::read_rendition(&row, key).inspect_err(|_| corrupt.push(Key::Rendition(key))).ok()
    });
    Ok((Found { record, rendition }, corrupt))
}

fn lines(entry: &Entry) -> Vec<Line> {
    let record = record_line(&entry.record);
    let rendition = entry.rendition.as_ref().and_then(rendition_line);
    [Some(record), rendition].into_iter().flatten().collect()
}

fn record_line(record: &CheckedRecord) -> Line {
    let text = row::record_text(record);
    let name = name(record.record.user_id.as_str());
    Line { store: RECORDS, name, bytes: text.len() as u64, row: text.into() }
}

fn rendition_line(rendition: &Rendition) -> Option<Line> {
    let name = name(&row::name_of(&Key::Rendition(rendition.key)));
    let row = row::rendition_row(rendition)?;
    Some(Line { store: RENDITIONS, name, row, bytes: rendition.content.len() as u64 })
}

async fn write(transaction: &Transaction, line: &Line, now: Timestamp) -> rexie::Result<()> {
    let (store, uses) = (transaction.store(line.store)?, transaction.store(USES)?);
    let noted = row::use_row(line.bytes, now);
    let name = Some(&line.name);
    let (row, noted) = futures_util::join!(store.put(&line.row, name), uses.put(&noted, name));
    row.and(noted).map(drop)
}

async fn remove(transaction: &Transaction, key: &Key) -> rexie::Result<()> {
    let store = match key {
        Key::User(_) => transaction.store(RECORDS)?,
        Key::Rendition(_) => transaction.store(RENDITIONS)?,
    };
    let uses = transaction.store(USES)?;
    let name = name(&row::name_of(key));
    let (row, noted) = futures_util::join!(store.delete(name.clone()), uses.delete(name));
    row.and(noted)
}

async fn touch(uses: &Store, key: &Key, now: Timestamp) -> rexie::Result<()> {
    let name = name(&row::name_of(key));
    let Some(held) = uses.get(name.clone()).await? else { return Ok(()) };
    uses.put(&row::use_row(row::bytes_of(&held), now), Some(&name)).await.map(drop)
}

/// Waits for all requests, failed or not: a handler must be there when its event comes.
async fn all(
    requests: impl Iterator<Item = impl Future<Output = rexie::Result<()>>>,
) -> rexie::Result<()> {
    join::all(requests).await.into_iter().collect()
}

impl CacheLayer for IndexedDbShelf {
    const SOURCE: Source = Source::IndexedDb;

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        let (found, corrupt): (Vec<_>, Vec<_>) = self.read(lookups).await?.into_iter().unzip();
        let corrupt = corrupt.concat();
        if !corrupt.is_empty() {
            self.remove_many(&corrupt).await?;
        }
        Ok(found)
    }

    async fn put_many(&self, entries: &[Entry], now: Timestamp) -> Result<(), LayerError> {
        let lines: Vec<Line> = entries.iter().flat_map(lines).collect();
        let work = async move |transaction: &Transaction| {
            all(lines.iter().map(|line| write(transaction, line, now))).await
        };
        self.connection.run(&[RECORDS, RENDITIONS, USES], TransactionMode::ReadWrite, work).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<(), LayerError> {
        let keys = keys.to_vec();
        let work = async move |transaction: &Transaction| {
            all(keys.iter().map(|key| remove(transaction, key))).await
        };
        self.connection.run(&[RECORDS, RENDITIONS, USES], TransactionMode::ReadWrite, work).await
    }

    async fn touch_many(&self, keys: &[Key], now: Timestamp) -> Result<(), LayerError> {
        let keys = keys.to_vec();
        let work = async move |transaction: &Transaction| {
            let uses = transaction.store(USES)?;
            all(keys.iter().map(|key| touch(&uses, key, now))).await
        };
        self.connection.run(&[USES], TransactionMode::ReadWrite, work).await
    }

    async fn inventory(&self) -> Result<Vec<Held>, LayerError> {
        let work = async move |transaction: &Transaction| {
            let uses = transaction.store(USES)?;
            try_join(uses.get_all_keys(None, None), uses.get_all(None, None)).await
        };
        let (names, rows) = self.connection.run(&[USES], TransactionMode::ReadOnly, work).await?;
        Ok(names.iter().zip(&rows).filter_map(|(name, row)| row::read_use(name, row)).collect())
    }

    /// Records, renditions and pages: first emptied, then the database deleted.
    async fn clear(&self) -> Result<(), LayerError> {
        let stores: &[&str] = &[RECORDS, RENDITIONS, USES, super::PAGES];
        let work = async move |transaction: &Transaction| {
            let stores: Result<Vec<Store>, _> =
                stores.iter().map(|store| transaction.store(store)).collect();
            all(stores?.iter().map(Store::clear)).await
        };
        let emptied = self.connection.run(stores, TransactionMode::ReadWrite, work).await;
        self.connection.delete().await.and(emptied)
    }
}
