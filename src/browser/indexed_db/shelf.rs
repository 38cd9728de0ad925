//! The shelf of one account.

use std::rc::Rc;

use miniature_api::{BatchUser, Lineage, UserId};
use web_sys::{IdbTransaction, IdbTransactionMode as Mode};

use super::{
    ALL_STORES, Done, PAGES, PREFIX, RECORDS, RENDITIONS, SUMS, USES,
    connection::Connection,
    inventory, ledger,
    place::Place,
    read::{self, Read},
    write,
};
use crate::{
    browser::{later, layer::CacheLayer, schedule},
    cache::{
        clock::Timestamp,
        core::{Op, Room, Written},
        document::{Document, DocumentKey},
        entry::{Content, Found},
        eviction::Usage,
        key::{Lookup, Source},
        layer::LayerError,
    },
};

/// Records, renditions and pages of one account, in IndexedDB. Clones share one connection.
#[derive(Clone, Debug)]
pub struct IndexedDbShelf {
    connection: Connection,
}

impl IndexedDbShelf {
    /// The shelf of `account`. The database is opened at the first use, and anew after
    /// [`Self::close`].
    pub fn new(account: &UserId) -> Self {
        Self { connection: Connection::new(format!("{PREFIX}{account}")) }
    }

    /// Reads documents in one transaction, in the order asked. What cannot be read back counts as
    /// not held, and is removed.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn documents(
        &self,
        keys: &[DocumentKey],
    ) -> Result<Vec<Option<Document>>, LayerError> {
        let keys = keys.to_vec();
        let work =
            async move |transaction: &IdbTransaction| read::documents(transaction, &keys).await;
        let read = self.connection.run(&[PAGES], Mode::Readonly, work).await?;
        Ok(self.without_corrupt(read))
    }

    /// Whose rows were not checked in this time, each with the revision of this lineage whose picture is held;
    /// `most` of those used last, at the end.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn ending(
        &self,
        lasting: (Timestamp, Timestamp),
        lineage: Option<Lineage>,
        most: usize,
    ) -> Result<Vec<BatchUser>, LayerError> {
        let work = async move |transaction: &IdbTransaction| {
            read::ending(transaction, lasting, lineage, most).await
        };
        self.connection.run(&[RECORDS], Mode::Readonly, work).await
    }

    /// How much records and renditions take, as the last write left it.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn usage(&self) -> Result<Usage, LayerError> {
        let work = async |transaction: &IdbTransaction| ledger::sum(transaction).await;
        self.connection.run(&[SUMS, USES], Mode::Readonly, work).await
    }

    /// All that it holds, without bytes.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn inventory(&self) -> Result<inventory::Held, LayerError> {
        let work = async |transaction: &IdbTransaction| inventory::list(transaction).await;
        self.connection.run(&[RECORDS, USES], Mode::Readonly, work).await
    }

    /// Lets go of the database once what was begun has ended. A later call opens it anew.
    pub fn close(&self) {
        self.connection.close();
    }

    /// What was read. What cannot be is removed later: nobody waits for that.
    fn without_corrupt<T>(&self, read: Vec<Read<T>>) -> Vec<T> {
        let (found, corrupt): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        let corrupt: Vec<Place> = corrupt.concat();
        if !corrupt.is_empty() {
            let connection = self.connection.clone();
            schedule::spawn(async move {
                if later::bring().await.is_ok() {
                    connection.run_aside(ALL_STORES, async move |transaction: &IdbTransaction| {
                        read::scrub(transaction, &corrupt).await
                    });
                }
            });
        }
        found
    }
}

impl CacheLayer for IndexedDbShelf {
    const SOURCE: Source = Source::IndexedDb;

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        let lookups = lookups.to_vec();
        let work =
            async move |transaction: &IdbTransaction| read::find_all(transaction, &lookups).await;
        let read = self.connection.run(&[RECORDS, RENDITIONS], Mode::Readonly, work).await?;
        Ok(self.without_corrupt(read))
    }

    async fn apply(
        &self,
        ops: &[Op<Content>],
        now: Timestamp,
        room: Room,
    ) -> Result<Written, LayerError> {
        let ops: Rc<[Op<Content>]> = ops.into();
        let run = async |halve: bool| {
            let ops = ops.clone();
            let work = async move |transaction: &IdbTransaction| match halve {
                true => write::halve(transaction, &ops, now).await,
                false => write::apply(transaction, &ops, now, room).await,
            };
            self.connection.run(ALL_STORES, Mode::Readwrite, work).await
        };
        if room.halve {
            // In a transaction of its own: what it gives up is no room before it has ended.
            run(true).await?;
        }
        run(false).await
    }

    /// First emptied, then the database deleted: another tab may hold it open for a while.
    async fn clear(&self) -> Result<(), LayerError> {
        let work = async |transaction: &IdbTransaction| -> Done<()> {
            let mut stores = ALL_STORES.iter();
            stores.try_for_each(|name| transaction.object_store(name)?.clear().map(drop))
        };
        let emptied = self.connection.run(ALL_STORES, Mode::Readwrite, work).await;
        self.connection.delete().await.and(emptied)
    }
}
