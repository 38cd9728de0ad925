//! Who was used when, and what all takes together: kept by each write in its own transaction.

use wasm_bindgen::JsValue;
use web_sys::{IdbObjectStore, IdbTransaction};

use super::{
    Done, RECORDS, RENDITIONS, SUMS, USES, request,
    row::{self, Rank},
};
use crate::cache::{clock::Timestamp, eviction::Usage};

/// The key of the one row of `sums`.
const ALL: &str = "all";

/// The uses and their sum, within one transaction.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) records: IdbObjectStore,
    pub(super) renditions: IdbObjectStore,
    pub(super) uses: IdbObjectStore,
    sums: IdbObjectStore,
    pub(super) sum: Usage,
}

/// The sum of all uses. If it cannot be read, they are added up.
pub(super) async fn sum(transaction: &IdbTransaction) -> Done<Usage> {
    let row = request::result(transaction.object_store(SUMS)?.get(&ALL.into())).await?;
    if let Some(sum) = row::read_sum(&row) {
        return Ok(sum);
    }
    let uses = request::result(transaction.object_store(USES)?.get_all()).await?;
    let uses = js_sys::Array::from(&uses);
    let bytes = uses.iter().map(|row| row::bytes_of(&row));
    Ok(Usage { entries: uses.length() as usize, bytes: bytes.fold(0, u64::saturating_add) })
}

impl Ledger {
    pub(super) async fn open(transaction: &IdbTransaction) -> Done<Self> {
        Ok(Self {
            records: transaction.object_store(RECORDS)?,
            renditions: transaction.object_store(RENDITIONS)?,
            uses: transaction.object_store(USES)?,
            sums: transaction.object_store(SUMS)?,
            sum: sum(transaction).await?,
        })
    }

    /// Writes a row, and its use. That both are stored, the end of the transaction says.
    pub(super) async fn put(
        &mut self,
        rank: Rank,
        name: &str,
        (row, bytes): (JsValue, u64),
        used_at: Timestamp,
    ) -> Done<()> {
        let name = JsValue::from(name);
        match self.use_of(&name).await? {
            Some(held) => self.sum.bytes = self.sum.bytes.saturating_sub(row::bytes_of(&held)),
            None => self.sum.entries = self.sum.entries.saturating_add(1),
        }
        self.sum.bytes = self.sum.bytes.saturating_add(bytes);
        self.store(rank).put_with_key(&row, &name)?;
        self.uses.put_with_key(&row::use_row(bytes, used_at, rank), &name)?;
        Ok(())
    }

    /// Notes that a rendition was used, if it is there.
    pub(super) async fn touch_rendition(&mut self, name: &str, used_at: Timestamp) -> Done<()> {
        let name = JsValue::from(name);
        if let Some(held) = self.use_of(&name).await? {
            let noted = row::use_row(row::bytes_of(&held), used_at, Rank::Rendition);
            self.uses.put_with_key(&noted, &name)?;
        }
        Ok(())
    }

    /// Removes a row and its use, if they are there.
    pub(super) async fn remove(&mut self, rank: Rank, name: &str) -> Done<()> {
        let name = JsValue::from(name);
        match self.use_of(&name).await? {
            Some(held) => self.remove_used(rank, &name, &held),
            None => self.store(rank).delete(&name).map(drop),
        }
    }

    /// Removes a row whose use is at hand.
    pub(super) fn remove_used(&mut self, rank: Rank, name: &JsValue, held: &JsValue) -> Done<()> {
        self.sum.entries = self.sum.entries.saturating_sub(1);
        self.sum.bytes = self.sum.bytes.saturating_sub(row::bytes_of(held));
        self.store(rank).delete(name)?;
        self.uses.delete(name)?;
        Ok(())
    }

    /// Writes the sum.
    pub(super) fn close(&self) -> Done<()> {
        self.sums.put_with_key(&row::sum_row(self.sum), &ALL.into()).map(drop)
    }

    /// Leaves the sum to be added up anew.
    pub(super) fn forget_sum(&self) -> Done<()> {
        self.sums.delete(&ALL.into()).map(drop)
    }

    async fn use_of(&self, name: &JsValue) -> Done<Option<JsValue>> {
        let held = request::result(self.uses.get(name)).await?;
        Ok((!held.is_undefined()).then_some(held))
    }

    fn store(&self, rank: Rank) -> &IdbObjectStore {
        match rank {
            Rank::Rendition => &self.renditions,
            Rank::Record => &self.records,
        }
    }
}
