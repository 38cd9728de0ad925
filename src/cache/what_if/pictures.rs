//! The cache of pictures of an account, as it would answer.

use super::Fault;
use crate::cache::{
    core::{Op, Room, Written},
    entry::{Bytes, Found, Rendition},
    eviction::Usage,
    key::{Lookup, RenditionKey},
    layer::LayerError,
};

/// What it holds, the one put there longest ago first.
#[derive(Clone, Debug)]
pub(in crate::cache) struct Pictures<B> {
    pub(in crate::cache) held: Vec<(RenditionKey, B)>,
    pub(in crate::cache) fault: Fault,
    /// What is put into a cache that was deleted since is in none.
    pub(in crate::cache) deletions: usize,
}

impl<B> Default for Pictures<B> {
    fn default() -> Self {
        Self { held: Vec::new(), fault: Fault::None, deletions: 0 }
    }
}

impl<B: Bytes> Pictures<B> {
    pub(in crate::cache) fn clear(&mut self) -> Result<(), LayerError> {
        self.fault.check()?;
        self.held.clear();
        self.deletions += 1;
        Ok(())
    }

    pub(in crate::cache) fn get_many(
        &self,
        lookups: &[Lookup],
    ) -> Result<Vec<Found<B>>, LayerError> {
        self.fault.check()?;
        let find = |lookup: &Lookup| {
            let fits = |key: &RenditionKey| {
                Some(key.image) == lookup.image && key.size >= lookup.wanted.size
            };
            let held = self.held.iter().find(|(key, _)| fits(key));
            let rendition =
                held.map(|(key, content)| Rendition { key: *key, content: content.clone() });
            Found { rendition, ..Found::default() }
        };
        Ok(lookups.iter().map(find).collect())
    }

    pub(in crate::cache) fn apply(
        &mut self,
        ops: &[Op<B>],
        room: Room,
    ) -> Result<Written, LayerError> {
        self.fault.check_write()?;
        for op in ops {
            match op {
                Op::Rendition { .. } if self.fault == Fault::Full => return Err(LayerError::Full),
                Op::Rendition { rendition, .. } => {
                    self.held.retain(|(key, _)| *key != rendition.key);
                    self.held.push((rendition.key, rendition.content.clone()));
                }
                Op::RemoveImage { image, .. } => self.held.retain(|(key, _)| key.image != *image),
                Op::RemoveRendition { key, .. } => self.held.retain(|(held, _)| held != key),
                // It knows renditions alone.
                _ => {}
            }
        }
        let surplus = self.held.len().saturating_sub(room.limits.entries);
        self.held.drain(..surplus);
        while self.usage()?.bytes > room.limits.bytes && !self.held.is_empty() {
            self.held.remove(0);
        }
        Ok(Written { usage: self.usage()?, ..Written::default() })
    }

    pub(in crate::cache) fn usage(&self) -> Result<Usage, LayerError> {
        self.fault.check()?;
        let bytes = self.held.iter().map(|(_, content)| content.byte_len() as u64).sum();
        Ok(Usage { entries: self.held.len(), bytes })
    }
}
