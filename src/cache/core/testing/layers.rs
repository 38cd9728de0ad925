//! The two storages, which outlive documents.

use std::collections::BTreeMap;

use miniature_api::{ImageId, Lineage, Size, UserId};

use super::{Blob, Fault, good};
use crate::cache::{
    clock::Timestamp,
    core::{LiveNote, Op, Room, Start, StorageChange, Written},
    document::{Document, DocumentKey},
    entry::{CheckedRecord, Found, Line, Rendition},
    eviction::Usage,
    key::{Lookup, RenditionKey},
    layer::LayerError,
};

/// A user's row in LocalStorage.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cache::core) struct Row {
    pub(in crate::cache::core) record: Option<(CheckedRecord, Timestamp)>,
    pub(in crate::cache::core) preview: Option<Rendition<Blob>>,
}

impl Row {
    fn bytes(&self) -> u64 {
        let preview =
            self.preview.as_ref().map_or(0, |preview| u64::from(preview.size().px()) * 20);
        preview + if self.record.is_some() { 150 } else { 0 }
    }
}

/// LocalStorage.
#[derive(Clone, Debug, Default)]
pub(in crate::cache::core) struct Local {
    pub(in crate::cache::core) rows: BTreeMap<UserId, Row>,
    /// The first pages of lists.
    pub(in crate::cache::core) first: BTreeMap<DocumentKey, Document>,
    pub(in crate::cache::core) believe_from: Timestamp,
    pub(in crate::cache::core) lineage: Option<Lineage>,
    pub(in crate::cache::core) live: Option<LiveNote>,
    pub(in crate::cache::core) fault: Fault,
    pub(in crate::cache::core) full_in_a_row: usize,
    /// What other documents hear.
    pub(super) changes: Vec<StorageChange>,
}

impl Local {
    pub(super) fn start(&self, account: UserId) -> Start {
        let nothing = Self::default();
        let held = if self.fault == Fault::Denied { &nothing } else { self };
        let first = |key| held.first.get(&key).cloned();
        Start {
            account,
            lineage: held.lineage,
            believe_from: held.believe_from,
            friends: first(DocumentKey::Friends(None)),
            feed: first(DocumentKey::Feed(None)),
            live: held.live.clone(),
            has_picture_cache: false,
        }
    }

    pub(super) fn found(&self, user: &UserId) -> Result<Found<Blob>, LayerError> {
        self.fault.check()?;
        let Some(row) = self.rows.get(user) else {
            return Ok(Found::default());
        };
        let used_at = row.record.as_ref().map_or(Timestamp(0), |(_, used_at)| *used_at);
        let record = row.record.as_ref().map(|(record, _)| record.clone());
        Ok(Found { record, rendition: row.preview.clone(), used_at })
    }

    pub(super) fn count(&self) -> Result<Vec<Line>, LayerError> {
        self.fault.check()?;
        Ok(self.rows.keys().map(|user| self.line(user)).collect())
    }

    fn line(&self, user: &UserId) -> Line {
        let row = self.rows.get(user).cloned().unwrap_or_default();
        let used_at = row.record.as_ref().map_or(Timestamp(0), |(_, used_at)| *used_at);
        Line { user: user.clone(), bytes: row.bytes(), used_at }
    }

    pub(super) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        for user in std::mem::take(&mut self.rows).into_keys() {
            self.changed(&user, None);
        }
        self.first.clear();
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.first.is_empty()
    }

    fn changed(&mut self, user: &UserId, old: Option<CheckedRecord>) {
        let new = self.rows.get(user).and_then(|row| row.record.as_ref()).map(|(r, _)| r.clone());
        let line = self.line(user);
        let change = StorageChange { user: user.clone(), of_record: true, old, new, line };
        self.changes.push(change);
    }

    pub(super) fn apply(
        &mut self,
        ops: &[Op<Blob>],
        now: Timestamp,
    ) -> Result<Written, LayerError> {
        self.fault.check_write()?;
        let before = (self.rows.clone(), self.first.clone());
        let mut written = Written::default();
        let mut users = Vec::new();
        for op in ops {
            let grows = match op {
                Op::Record { record, insert } => {
                    *insert && !self.rows.contains_key(&record.record.user_id)
                }
                Op::Rendition { .. } | Op::Document(_) => true,
                _ => false,
            };
            if grows && self.fault == Fault::Full {
                (self.rows, self.first) = before;
                self.changes.clear();
                self.full_in_a_row += 1;
                return Err(LayerError::Full);
            }
            self.apply_one(op, now, &mut written, &mut users);
        }
        users.sort();
        users.dedup();
        written.lines = users.iter().map(|user| self.line(user)).collect();
        Ok(written)
    }

    fn record(
        &mut self,
        record: &CheckedRecord,
        insert: bool,
        now: Timestamp,
        written: &mut Written,
        users: &mut Vec<UserId>,
    ) {
        let user = record.record.user_id.clone();
        let old = self.rows.get(&user).and_then(|row| row.record.clone()).map(|(old, _)| old);
        if !insert && !self.rows.contains_key(&user) {
            return;
        }
        users.push(user.clone());
        if let Some(old) = &old
            && !record.supersedes(old, now)
        {
            written.standing.push(old.clone());
            return;
        }
        let row = self.rows.entry(user.clone()).or_default();
        row.record = Some((record.clone(), now));
        if record.record.image_id.is_none() {
            row.preview = None;
        }
        self.changed(&user, old);
    }

    fn apply_one(
        &mut self,
        op: &Op<Blob>,
        now: Timestamp,
        written: &mut Written,
        users: &mut Vec<UserId>,
    ) {
        match op {
            Op::Record { record, insert } => self.record(record, *insert, now, written, users),
            Op::Rendition { user, rendition } => {
                users.push(user.clone());
                let row = self.rows.entry(user.clone()).or_default();
                let named = row.record.as_ref().and_then(|(record, _)| record.record.image_id);
                let newer = row.preview.as_ref().map(Rendition::image);
                if newer.is_none() || newer != named || named == Some(rendition.image()) {
                    row.preview = Some(rendition.clone());
                }
            }
            Op::Touch { user, .. } => {
                users.push(user.clone());
                if let Some((_, used_at)) =
                    self.rows.get_mut(user).and_then(|row| row.record.as_mut())
                {
                    *used_at = now;
                }
            }
            Op::Expire(user) => {
                users.push(user.clone());
                if let Some((record, _)) =
                    self.rows.get_mut(user).and_then(|row| row.record.as_mut())
                {
                    record.checked_at = Timestamp(0);
                }
            }
            Op::RemoveUser(user) => {
                users.push(user.clone());
                if let Some(row) = self.rows.remove(user) {
                    self.changed(user, row.record.map(|(record, _)| record));
                }
            }
            Op::RemoveRendition { user, key } => {
                if let Some(row) = self.rows.get_mut(user) {
                    row.preview.take_if(|preview| preview.key == *key);
                    users.push(user.clone());
                }
            }
            Op::RemoveImage { user, image } => {
                users.push(user.clone());
                if let Some(row) = self.rows.get_mut(user) {
                    row.preview.take_if(|preview| preview.image() == *image);
                }
            }
            Op::Document(document) if document.key.is_first_page() => {
                let held = self.first.get(&document.key);
                if held.is_none_or(|held| document.supersedes(held, now)) {
                    self.first.insert(document.key.clone(), document.clone());
                }
            }
            Op::RemoveDocument(key) if key.is_first_page() => drop(self.first.remove(key)),
            Op::BelieveFrom(moment) => self.believe_from = *moment,
            Op::Lineage(lineage) => self.lineage = Some(*lineage),
            Op::Live(note) => self.live = Some(note.clone()),
            Op::Document(_) | Op::RemoveDocument(_) => {}
        }
    }
}

/// A user's row in IndexedDB: the record, and the image whose bytes are held.
pub(in crate::cache::core) type DurableRow = (CheckedRecord, Timestamp, Option<ImageId>);

/// IndexedDB.
#[derive(Clone, Debug, Default)]
pub(in crate::cache::core) struct Durable {
    pub(in crate::cache::core) records: BTreeMap<UserId, DurableRow>,
    pub(in crate::cache::core) renditions: BTreeMap<RenditionKey, (Blob, Timestamp)>,
    pub(in crate::cache::core) documents: BTreeMap<DocumentKey, Document>,
    pub(in crate::cache::core) fault: Fault,
    pub(in crate::cache::core) reads: usize,
    pub(in crate::cache::core) full_in_a_row: usize,
    /// A deletion runs after all that was begun before it, in whichever document.
    pub(super) deletions: usize,
}

impl Durable {
    pub(super) fn get_many(&mut self, lookups: &[Lookup]) -> Result<Vec<Found<Blob>>, LayerError> {
        self.reads += 1;
        self.fault.check()?;
        Ok(lookups.iter().map(|lookup| self.find(lookup)).collect())
    }

    fn find(&self, lookup: &Lookup) -> Found<Blob> {
        let row = self.records.get(&lookup.wanted.user);
        let record = row.map(|(record, ..)| record.clone());
        let images = [
            lookup.image,
            record.as_ref().and_then(|record| record.record.image_id),
            row.and_then(|(.., held)| *held),
        ];
        let best = |image: ImageId| {
            let mut sizes: Vec<Size> = Size::ALL.to_vec();
            let size = lookup.wanted.size;
            sizes.sort_by_key(|other| (*other < size, other.px().abs_diff(size.px())));
            let mut keys = sizes.into_iter().map(|size| RenditionKey { image, size });
            keys.find_map(|key| {
                let (content, _) = self.renditions.get(&key)?;
                Some(Rendition { key, content: *content })
            })
        };
        let rendition = images.into_iter().flatten().find_map(best);
        let used_at = row.map_or(Timestamp(0), |(_, used_at, _)| *used_at);
        Found { record, rendition, used_at }
    }

    pub(super) fn read(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>, LayerError> {
        self.fault.check()?;
        Ok(keys.iter().map(|key| self.documents.get(key).cloned()).collect())
    }

    pub(in crate::cache::core) fn usage(&self) -> Result<Usage, LayerError> {
        self.fault.check()?;
        let bytes = self.renditions.keys().map(|key| u64::from(key.size.px()) * 20).sum();
        Ok(Usage { entries: self.records.len() + self.renditions.len(), bytes })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.renditions.is_empty() && self.documents.is_empty()
    }

    pub(super) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        self.records.clear();
        self.renditions.clear();
        self.documents.clear();
        self.deletions += 1;
        Ok(())
    }

    pub(super) fn apply(
        &mut self,
        ops: &[Op<Blob>],
        now: Timestamp,
        room: Room,
    ) -> Result<Written, LayerError> {
        self.fault.check_write()?;
        if self.fault == Fault::Full && ops.iter().any(|op| matches!(op, Op::Rendition { .. })) {
            self.full_in_a_row += 1;
            return Err(LayerError::Full);
        }
        let mut written = Written::default();
        ops.iter().for_each(|op| self.apply_one(op, now, &mut written));
        while self.usage()?.bytes > room.limits.bytes {
            let oldest = self.renditions.iter().min_by_key(|(_, (_, used_at))| *used_at);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                break;
            };
            self.renditions.remove(&oldest);
        }
        written.usage = self.usage()?;
        Ok(written)
    }

    fn apply_one(&mut self, op: &Op<Blob>, now: Timestamp, written: &mut Written) {
        match op {
            Op::Record { record, insert } => {
                let old = self.records.get(&record.record.user_id);
                match old {
                    None if !insert => {}
                    Some((old, ..)) if !record.supersedes(old, now) => {
                        written.standing.push(old.clone())
                    }
                    _ => {
                        let held = old.and_then(|(.., held)| *held);
                        let user = record.record.user_id.clone();
                        if record.record.image_id.is_none() {
                            held.into_iter().for_each(|image| self.drop_image(image));
                        }
                        let held = held.filter(|_| record.record.image_id.is_some());
                        self.records.insert(user, (record.clone(), now, held));
                    }
                }
            }
            Op::Rendition { user, rendition } => {
                let Some((.., held)) = self.records.get_mut(user) else {
                    return;
                };
                let before = held.replace(rendition.image());
                if let Some(before) = before.filter(|before| *before != rendition.image()) {
                    self.drop_image(before);
                }
                self.renditions.insert(rendition.key, (rendition.content, now));
            }
            Op::Document(document) => {
                let held = self.documents.get(&document.key);
                if held.is_none_or(|held| document.supersedes(held, now)) {
                    self.documents.insert(document.key.clone(), document.clone());
                }
            }
            Op::RemoveDocument(key) => drop(self.documents.remove(key)),
            Op::Touch { user, rendition } => {
                self.records.entry(user.clone()).and_modify(|row| row.1 = now);
                if let Some(held) = rendition.and_then(|key| self.renditions.get_mut(&key)) {
                    held.1 = now;
                }
            }
            Op::Expire(user) => {
                self.records.entry(user.clone()).and_modify(|row| row.0.checked_at = Timestamp(0));
            }
            Op::RemoveUser(user) => {
                if let Some((.., Some(held))) = self.records.remove(user) {
                    self.drop_image(held);
                }
            }
            Op::RemoveRendition { key, .. } => drop(self.renditions.remove(key)),
            Op::RemoveImage { image, .. } => self.drop_image(*image),
            Op::BelieveFrom(_) | Op::Lineage(_) | Op::Live(_) => {}
        }
    }

    fn drop_image(&mut self, image: ImageId) {
        self.renditions.retain(|key, _| key.image != image);
    }

    /// Whether all that is stored is what its key says, and decodes.
    pub(in crate::cache::core) fn is_sound(&self) -> bool {
        self.renditions.iter().all(|(key, (content, _))| *content == good(*key).content)
    }
}
