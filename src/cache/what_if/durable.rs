//! IndexedDB, as it would answer.

use std::collections::BTreeMap;

use miniature_api::{ImageId, Size, UserId};

use super::Fault;
use crate::cache::{
    clock::Timestamp,
    core::{Op, Room, Written},
    document::{Document, DocumentKey},
    entry::{Bytes, CheckedRecord, Found, Rendition},
    eviction::{Limits, Usage},
    key::{Lookup, RenditionKey},
    layer::LayerError,
};

/// A user's row in IndexedDB: the record, and the image whose bytes are held.
pub(in crate::cache) type Row = (CheckedRecord, Timestamp, Option<ImageId>);

/// IndexedDB.
#[derive(Clone, Debug)]
pub(in crate::cache) struct Durable<B> {
    pub(in crate::cache) records: BTreeMap<UserId, Row>,
    pub(in crate::cache) renditions: BTreeMap<RenditionKey, (B, Timestamp)>,
    pub(in crate::cache) documents: BTreeMap<DocumentKey, Document>,
    pub(in crate::cache) fault: Fault,
    pub(in crate::cache) reads: usize,
    pub(in crate::cache) full_in_a_row: usize,
    /// A deletion runs after all that was begun before it, in whichever document.
    pub(in crate::cache) deletions: usize,
}

impl<B> Default for Durable<B> {
    fn default() -> Self {
        Self {
            records: BTreeMap::new(),
            renditions: BTreeMap::new(),
            documents: BTreeMap::new(),
            fault: Fault::None,
            reads: 0,
            full_in_a_row: 0,
            deletions: 0,
        }
    }
}

impl<B: Bytes> Durable<B> {
    pub(in crate::cache) fn get_many(
        &mut self,
        lookups: &[Lookup],
    ) -> Result<Vec<Found<B>>, LayerError> {
        self.reads += 1;
        self.fault.check()?;
        Ok(lookups.iter().map(|lookup| self.find(lookup)).collect())
    }

    fn find(&self, lookup: &Lookup) -> Found<B> {
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
                Some(Rendition { key, content: content.clone() })
            })
        };
        let rendition = images.into_iter().flatten().find_map(best);
        let used_at = row.map_or(Timestamp(0), |(_, used_at, _)| *used_at);
        Found { record, rendition, used_at }
    }

    pub(in crate::cache) fn read(
        &self,
        keys: &[DocumentKey],
    ) -> Result<Vec<Option<Document>>, LayerError> {
        self.fault.check()?;
        Ok(keys.iter().map(|key| self.documents.get(key).cloned()).collect())
    }

    pub(in crate::cache) fn usage(&self) -> Result<Usage, LayerError> {
        self.fault.check()?;
        let bytes = self.renditions.values().map(|(content, _)| content.byte_len() as u64).sum();
        Ok(Usage { entries: self.records.len() + self.renditions.len(), bytes })
    }

    #[cfg(test)]
    pub(in crate::cache) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.renditions.is_empty() && self.documents.is_empty()
    }

    pub(in crate::cache) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        self.records.clear();
        self.renditions.clear();
        self.documents.clear();
        self.deletions += 1;
        Ok(())
    }

    pub(in crate::cache) fn apply(
        &mut self,
        ops: &[Op<B>],
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
        self.evict(room.limits, now)?;
        written.usage = self.usage()?;
        Ok(written)
    }

    fn apply_one(&mut self, op: &Op<B>, now: Timestamp, written: &mut Written) {
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
                self.renditions.insert(rendition.key, (rendition.content.clone(), now));
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
        for size in Size::ALL {
            self.renditions.remove(&RenditionKey { image, size });
        }
    }

    /// Evicts until the limits hold: what a clock that ran ahead says was used later than `now`, then the least
    /// recently used, renditions before records.
    fn evict(&mut self, limits: Limits, now: Timestamp) -> Result<(), LayerError> {
        let held = self.usage()?;
        let is_crowded = held.entries > limits.entries;
        if !is_crowded && held.bytes <= limits.bytes {
            return Ok(());
        }
        let entries = if is_crowded { limits.trim_entries_to } else { limits.entries };
        let entries = entries.min(limits.entries);
        let renditions = self.renditions.iter().map(|(key, (_, at))| (*at, Held::Rendition(*key)));
        let records =
            self.records.iter().map(|(user, (_, at, _))| (*at, Held::Record(user.clone())));
        let mut oldest: Vec<(Timestamp, Held)> = renditions.chain(records).collect();
        oldest.sort_by_cached_key(|(at, held)| (at.unless_after(now), held.clone()));
        let Usage { entries: mut count, mut bytes } = held;
        for (_, held) in oldest {
            if count <= entries && bytes <= limits.bytes {
                break;
            }
            count -= 1;
            match held {
                Held::Rendition(key) => {
                    let content = self.renditions.remove(&key).map(|(content, _)| content);
                    bytes -= content.map_or(0, |content| content.byte_len() as u64);
                }
                Held::Record(user) => drop(self.records.remove(&user)),
            }
        }
        Ok(())
    }
}

/// A row, in the order in which rows of the same age go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Rendition(RenditionKey),
    Record(UserId),
}
