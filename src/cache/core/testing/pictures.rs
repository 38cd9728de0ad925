//! The cache of pictures of an account, which outlives documents.

use super::{Blob, Fault, Under};
use crate::cache::{
    core::{Answer, Op, Room, Written},
    entry::{Bytes, Found, Rendition},
    eviction::Usage,
    key::{Lookup, RenditionKey, Source},
    layer::LayerError,
};

/// What it holds, the one put there longest ago first.
#[derive(Clone, Debug, Default)]
pub(in crate::cache::core) struct Pictures {
    pub(in crate::cache::core) held: Vec<(RenditionKey, Blob)>,
    pub(in crate::cache::core) fault: Fault,
    /// What is put into a cache that was deleted since is in none.
    pub(super) deletions: usize,
}

impl Pictures {
    /// What it says to an effect that is for it; some of nothing where it hangs.
    pub(super) fn answer(
        &mut self,
        under: &Under,
        deletions: usize,
    ) -> Option<Option<Answer<Blob>>> {
        let answer = match under {
            Under::Read(Source::ServiceWorker, lookups) => Answer::Read(self.get_many(lookups)),
            Under::Write(Source::ServiceWorker, ..) if self.fault == Fault::Hanging => {
                return Some(None);
            }
            Under::Write(Source::ServiceWorker, ..) if deletions < self.deletions => {
                Answer::Written(Ok(Written::default()))
            }
            Under::Write(Source::ServiceWorker, ops, _, room) => {
                Answer::Written(self.apply(ops, *room))
            }
            Under::Measure(Source::ServiceWorker) => Answer::Measured(self.usage()),
            _ => return None,
        };
        Some((self.fault != Fault::Hanging).then_some(answer))
    }

    pub(super) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        self.held.clear();
        self.deletions += 1;
        Ok(())
    }

    fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found<Blob>>, LayerError> {
        self.fault.check()?;
        let find = |lookup: &Lookup| {
            let fits = |key: &RenditionKey| {
                Some(key.image) == lookup.image && key.size >= lookup.wanted.size
            };
            let held = self.held.iter().find(|(key, _)| fits(key));
            let rendition = held.map(|(key, content)| Rendition { key: *key, content: *content });
            Found { rendition, ..Found::default() }
        };
        Ok(lookups.iter().map(find).collect())
    }

    fn apply(&mut self, ops: &[Op<Blob>], room: Room) -> Result<Written, LayerError> {
        self.fault.check_write()?;
        for op in ops {
            match op {
                Op::Rendition { .. } if self.fault == Fault::Full => return Err(LayerError::Full),
                Op::Rendition { rendition, .. } => {
                    self.held.retain(|(key, _)| *key != rendition.key);
                    self.held.push((rendition.key, rendition.content));
                }
                Op::RemoveImage { image, .. } => self.held.retain(|(key, _)| key.image != *image),
                Op::RemoveRendition { key, .. } => self.held.retain(|(held, _)| held != key),
                other => panic!("the cache of pictures knows renditions alone: {other:?}"),
            }
        }
        let surplus = self.held.len().saturating_sub(room.limits.entries);
        self.held.drain(..surplus);
        while self.usage()?.bytes > room.limits.bytes && !self.held.is_empty() {
            self.held.remove(0);
        }
        Ok(Written { usage: self.usage()?, ..Written::default() })
    }

    fn usage(&self) -> Result<Usage, LayerError> {
        self.fault.check()?;
        let bytes = self.held.iter().map(|(_, content)| content.byte_len() as u64).sum();
        Ok(Usage { entries: self.held.len(), bytes })
    }
}
