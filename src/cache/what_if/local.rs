//! LocalStorage, as it would answer.

use std::collections::BTreeMap;

use miniature_api::{Lineage, UserId};

use super::Fault;
use crate::cache::{
    clock::Timestamp,
    core::{LiveNote, Op, StorageChange, Written},
    document::{Document, DocumentKey},
    entry::{Bytes, CheckedRecord, Found, Line, Rendition},
    layer::LayerError,
};

/// What a record takes with its key, in bytes.
const RECORD_BYTES: u64 = 190;
/// What a preview takes beside its bytes in base64.
const PREVIEW_BYTES: u64 = 110;

/// A user's row in LocalStorage.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cache) struct Row<B> {
    pub(in crate::cache) record: Option<(CheckedRecord, Timestamp)>,
    pub(in crate::cache) preview: Option<Rendition<B>>,
}

impl<B> Default for Row<B> {
    fn default() -> Self {
        Self { record: None, preview: None }
    }
}

impl<B: Bytes> Row<B> {
    fn bytes(&self) -> u64 {
        let preview = self.preview.as_ref().map_or(0, |preview| {
            (preview.content.byte_len() as u64).div_ceil(3) * 4 + PREVIEW_BYTES
        });
        preview + if self.record.is_some() { RECORD_BYTES } else { 0 }
    }
}

/// LocalStorage.
#[derive(Clone, Debug)]
pub(in crate::cache) struct Local<B> {
    pub(in crate::cache) rows: BTreeMap<UserId, Row<B>>,
    /// The first pages of lists.
    pub(in crate::cache) first: BTreeMap<DocumentKey, Document>,
    pub(in crate::cache) believe_from: Timestamp,
    pub(in crate::cache) lineage: Option<Lineage>,
    pub(in crate::cache) live: Option<LiveNote>,
    pub(in crate::cache) fault: Fault,
    pub(in crate::cache) full_in_a_row: usize,
    /// What other documents hear.
    pub(in crate::cache) changes: Vec<StorageChange>,
}

impl<B> Default for Local<B> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            first: BTreeMap::new(),
            believe_from: Timestamp(0),
            lineage: None,
            live: None,
            fault: Fault::None,
            full_in_a_row: 0,
            changes: Vec::new(),
        }
    }
}

impl<B: Bytes> Local<B> {
    #[cfg(test)]
    pub(in crate::cache) fn start(&self, account: UserId) -> crate::cache::core::Start {
        let nothing = Self::default();
        let held = if self.fault == Fault::Denied { &nothing } else { self };
        let first = |key| held.first.get(&key).cloned();
        crate::cache::core::Start {
            account,
            lineage: held.lineage,
            believe_from: held.believe_from,
            friends: first(DocumentKey::Friends(None)),
            feed: first(DocumentKey::Feed(None)),
            live: held.live.clone(),
            has_picture_cache: false,
        }
    }

    pub(in crate::cache) fn found(&self, user: &UserId) -> Result<Found<B>, LayerError> {
        self.fault.check()?;
        let Some(row) = self.rows.get(user) else {
            return Ok(Found::default());
        };
        let used_at = row.record.as_ref().map_or(Timestamp(0), |(_, used_at)| *used_at);
        let record = row.record.as_ref().map(|(record, _)| record.clone());
        Ok(Found { record, rendition: row.preview.clone(), used_at })
    }

    pub(in crate::cache) fn count(&self) -> Result<Vec<Line>, LayerError> {
        self.fault.check()?;
        Ok(self.rows.keys().map(|user| self.line(user)).collect())
    }

    fn line(&self, user: &UserId) -> Line {
        let row = self.rows.get(user).cloned().unwrap_or_default();
        let used_at = row.record.as_ref().map_or(Timestamp(0), |(_, used_at)| *used_at);
        Line { user: user.clone(), bytes: row.bytes(), used_at }
    }

    pub(in crate::cache) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        for user in std::mem::take(&mut self.rows).into_keys() {
            self.changed(&user, None);
        }
        self.first.clear();
        Ok(())
    }

    #[cfg(test)]
    pub(in crate::cache) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.first.is_empty()
    }

    /// Another tab has changed a record.
    pub(super) fn changed_elsewhere(&mut self, change: &StorageChange) {
        match change.new.clone() {
            Some(record) => {
                let row = self.rows.entry(change.user.clone()).or_default();
                row.record = Some((record, change.line.used_at));
            }
            None => drop(self.rows.remove(&change.user)),
        }
    }

    fn changed(&mut self, user: &UserId, old: Option<CheckedRecord>) {
        let new = self.rows.get(user).and_then(|row| row.record.as_ref()).map(|(r, _)| r.clone());
        let line = self.line(user);
        let change = StorageChange { user: user.clone(), of_record: true, old, new, line };
        self.changes.push(change);
    }

    pub(in crate::cache) fn apply(
        &mut self,
        ops: &[Op<B>],
        now: Timestamp,
    ) -> Result<Written, LayerError> {
        self.fault.check_write()?;
        let before = (self.fault == Fault::Full).then(|| (self.rows.clone(), self.first.clone()));
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
            if grows && let Some(before) = before {
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
        op: &Op<B>,
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
