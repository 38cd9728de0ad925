//! Changes: all of one call in one transaction.

use miniature_api::{ImageId, Size, UserId};
use wasm_bindgen::JsValue;
use web_sys::{IdbObjectStore, IdbTransaction};

use super::{
    Done, PAGES, evict,
    ledger::Ledger,
    place::Place,
    request,
    row::{self, Kind, Rank, RecordRow},
};
use crate::cache::{
    clock::Timestamp,
    core::{Op, Room, Written},
    document::Document,
    entry::{Bytes as _, CheckedRecord, Content, Rendition},
    eviction::Limits,
    key::RenditionKey,
};

/// Carries the changes out in their order, then evicts what is more than there is room for.
pub(super) async fn apply(
    transaction: &IdbTransaction,
    ops: &[Op<Content>],
    now: Timestamp,
    room: Room,
) -> Done<Written> {
    let mut writer = Writer {
        ledger: Ledger::open(transaction).await?,
        pages: transaction.object_store(PAGES)?,
        standing: Vec::new(),
        now,
    };
    for op in ops {
        writer.carry_out(op).await?;
    }
    for spared in [named_in(ops), Vec::new()] {
        evict::evict(&mut writer.ledger, room.limits, &spared, now).await?;
    }
    if ops.iter().any(|op| matches!(op, Op::Document(_))) {
        evict::prune(&writer.pages, Kind::Page, room.pages, now).await?;
        evict::prune(&writer.pages, Kind::Profile, room.profiles, now).await?;
    }
    writer.ledger.close()?;
    Ok(Written { standing: writer.standing, lines: Vec::new(), usage: writer.ledger.sum })
}

/// Evicts half of what is held, but for what the changes name.
///
/// Only deletes, the sum included, which is then added up anew: after a transaction that found the
/// disk full, Firefox lets the next one on that connection exceed the quota, but only delete.
pub(super) async fn halve(
    transaction: &IdbTransaction,
    ops: &[Op<Content>],
    now: Timestamp,
) -> Done<Written> {
    let mut ledger = Ledger::open(transaction).await?;
    let entries = ledger.sum.entries / 2;
    let half = Limits { entries, bytes: ledger.sum.bytes / 2, trim_entries_to: entries };
    evict::evict(&mut ledger, half, &named_in(ops), now).await?;
    ledger.forget_sum()?;
    Ok(Written::default())
}

/// Names the rows that the changes keep.
fn named_in(ops: &[Op<Content>]) -> Vec<String> {
    let mut names = Vec::new();
    for op in ops {
        let (user, rendition) = match op {
            Op::Record { record, insert: _ } => (&record.record.user_id, None),
            Op::Rendition { user, rendition } => (user, Some(rendition.key)),
            Op::Touch { user, rendition } => (user, *rendition),
            Op::Expire(user) => (user, None),
            Op::RemoveUser(_)
            | Op::RemoveRendition { .. }
            | Op::RemoveImage { .. }
            | Op::Document(_)
            | Op::RemoveDocument(_)
            | Op::BelieveFrom(_)
            | Op::Lineage(_)
            | Op::Live(_) => continue,
        };
        names.push(user.as_str().to_owned());
        names.extend(rendition.map(|key| Place::Rendition(key).name()));
    }
    names
}

struct Writer {
    ledger: Ledger,
    pages: IdbObjectStore,
    standing: Vec<CheckedRecord>,
    now: Timestamp,
}

impl Writer {
    async fn carry_out(&mut self, op: &Op<Content>) -> Done<()> {
        match op {
            Op::Record { record, insert } => self.record(record, *insert).await,
            Op::Rendition { user, rendition } => self.rendition(user, rendition).await,
            Op::Touch { user, rendition } => self.touch(user, *rendition).await,
            Op::Expire(user) => self.expire(user).await,
            Op::RemoveUser(user) => self.remove_user(user).await,
            Op::RemoveRendition { user: _, key } => {
                self.ledger.remove(Rank::Rendition, &Place::Rendition(*key).name()).await
            }
            Op::RemoveImage { user, image } => self.remove_image(user, *image).await,
            Op::Document(document) => self.document(document).await,
            Op::RemoveDocument(key) => {
                self.pages.delete(&Place::Page(key.clone()).name().into()).map(drop)
            }
            Op::BelieveFrom(_) | Op::Lineage(_) | Op::Live(_) => Ok(()),
        }
    }

    async fn record(&mut self, record: &CheckedRecord, insert: bool) -> Done<()> {
        let row = self.row(&record.record.user_id).await?;
        match &row {
            Some(row) if !record.supersedes(&row.known, self.now) => {
                self.standing.push(row.known.clone());
                return Ok(());
            }
            None if !insert => return Ok(()),
            Some(_) | None => {}
        }
        // A picture that was removed leaves none to stand in for it.
        let (mut held, gone) = (row.and_then(|row| row.held), record.record.image_id.is_none());
        if let Some(image) = held.take_if(|_| gone) {
            self.remove_renditions(image).await?;
        }
        self.put(&RecordRow { known: record.clone(), held, used_at: self.now }).await
    }

    async fn rendition(&mut self, user: &UserId, rendition: &Rendition) -> Done<()> {
        let Some(value) = row::rendition_row(rendition) else { return Ok(()) };
        let row = self.row(user).await?;
        if row.as_ref().is_some_and(|row| is_overtaken(row, rendition.image())) {
            return Ok(());
        }
        let name = Place::Rendition(rendition.key).name();
        let value = (value, rendition.content.byte_len() as u64);
        self.ledger.put(Rank::Rendition, &name, value, self.now).await?;
        let Some(row) = row else { return Ok(()) };
        let older = row.held.filter(|held| *held != rendition.image());
        let held = Some(rendition.image());
        self.put(&RecordRow { held, used_at: self.now, ..row }).await?;
        match older {
            Some(older) => self.remove_renditions(older).await,
            None => Ok(()),
        }
    }

    async fn touch(&mut self, user: &UserId, rendition: Option<RenditionKey>) -> Done<()> {
        if let Some(row) = self.row(user).await? {
            self.put(&RecordRow { used_at: self.now, ..row }).await?;
        }
        match rendition.map(Place::Rendition) {
            Some(place) => self.ledger.touch_rendition(&place.name(), self.now).await,
            None => Ok(()),
        }
    }

    async fn expire(&mut self, user: &UserId) -> Done<()> {
        let Some(mut row) = self.row(user).await? else { return Ok(()) };
        row.known.checked_at = Timestamp(0);
        self.put(&row).await
    }

    async fn remove_user(&mut self, user: &UserId) -> Done<()> {
        if let Some(image) = self.row(user).await?.and_then(|row| row.held) {
            self.remove_renditions(image).await?;
        }
        self.ledger.remove(Rank::Record, user.as_str()).await
    }

    async fn remove_image(&mut self, user: &UserId, image: ImageId) -> Done<()> {
        self.remove_renditions(image).await?;
        match self.row(user).await? {
            Some(row) if row.held == Some(image) => {
                self.put(&RecordRow { held: None, ..row }).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn remove_renditions(&mut self, image: ImageId) -> Done<()> {
        for size in Size::ALL {
            let name = Place::Rendition(RenditionKey { image, size }).name();
            self.ledger.remove(Rank::Rendition, &name).await?;
        }
        Ok(())
    }

    /// Another tab may have stored a later one.
    async fn document(&self, document: &Document) -> Done<()> {
        let name = Place::Page(document.key.clone()).name();
        let held = request::result(self.pages.get(&name.as_str().into())).await?;
        let held = row::read_page(&held, &document.key);
        if held.is_some_and(|held| !document.supersedes(&held, self.now)) {
            return Ok(());
        }
        let page = row::page_row(document, self.now).ok_or(JsValue::NULL)?;
        self.pages.put_with_key(&page, &name.into()).map(drop)
    }

    /// The row of a user. One that cannot be read is none.
    async fn row(&self, user: &UserId) -> Done<Option<RecordRow>> {
        let row = request::result(self.ledger.records.get(&user.as_str().into())).await?;
        Ok(RecordRow::read(&row, user))
    }

    async fn put(&mut self, row: &RecordRow) -> Done<()> {
        let value = row.write().ok_or(JsValue::NULL)?;
        let name = row.known.record.user_id.as_str();
        self.ledger.put(Rank::Record, name, value, row.used_at).await
    }
}

/// Whether the user's picture was removed, or renditions of their newer image are stored.
fn is_overtaken(row: &RecordRow, image: ImageId) -> bool {
    match row.known.record.image_id {
        None => true,
        Some(newer) => newer != image && row.held == Some(newer),
    }
}
