//! The nearest layer: what this document knows and can show at once.

use std::{collections::HashMap, time::Duration};

use miniature_api::{ImageId, Record, Revision, Size, UserId};

use super::{
    clock::Timestamp,
    entry::{CheckedRecord, Held, Rendition},
    eviction::{self, Limits},
    freshness::Freshness,
    key::{Key, RenditionKey, Source, Wanted},
    layer::OriginError,
};

/// What this document knows of users' pictures.
///
/// **Invariant:** a record is only ever replaced by one of the same or a newer revision.
#[derive(Debug, Default)]
pub struct Memory {
    slots: HashMap<UserId, Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    record: Option<Believed>,
    /// Of the record's image; and of an older one, until one of the newer is known to decode.
    renditions: Vec<Kept>,
    failure: Option<OriginError>,
    used_at: Timestamp,
    viewers: usize,
}

#[derive(Debug)]
struct Believed {
    checked: CheckedRecord,
    fresh_for: Duration,
}

#[derive(Debug)]
struct Kept {
    rendition: Rendition,
    source: Source,
    /// How long it took to come, in milliseconds, if it came with a page and nobody has seen it.
    unseen: Option<f64>,
    /// Whether the browser is known to decode it.
    confirmed: bool,
}

/// A rendition to show, and the layer that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What to paint. Smaller or larger than asked for while the right size is on its way.
    pub rendition: Rendition,
    /// Where it came from.
    pub source: Source,
}

/// How far the answer for one [`Wanted`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Still looking; what is shown meanwhile may be an older picture, or one of another size.
    Loading,
    /// What is shown is the answer; nothing shown: the user has no picture.
    Settled,
    /// The server could not be asked. What is shown is the best that is held.
    Failed(OriginError),
}

/// Everything a component needs to know of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What to paint; none: initials.
    pub shown: Option<Shown>,
    /// Whether more is to come.
    pub status: Status,
    /// The revision that is known, if any is.
    pub revision: Option<Revision>,
}

/// What is still lacking for one [`Wanted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// The server's word that this revision is still the newest.
    Confirmation(Revision),
    /// The rendition itself.
    Bytes,
}

impl Memory {
    /// What can be shown of `wanted`, and whether that is the answer.
    pub fn view(&self, wanted: &Wanted) -> View {
        let Some(slot) = self.slots.get(&wanted.user) else {
            return View { shown: None, status: Status::Loading, revision: None };
        };
        let shown = slot
            .best(wanted.size)
            .map(|kept| Shown { rendition: kept.rendition.clone(), source: kept.source });
        let status = match slot.failure {
            _ if slot.answers(wanted.size) => Status::Settled,
            Some(failure) => Status::Failed(failure),
            None => Status::Loading,
        };
        View { shown, status, revision: slot.revision() }
    }

    /// What is lacking for `wanted` at `now`.
    pub fn need(&self, wanted: &Wanted, now: Timestamp) -> Need {
        let Some(slot) = self.slots.get(&wanted.user) else { return Need::Bytes };
        match &slot.record {
            Some(_) if !slot.answers(wanted.size) => Need::Bytes,
            Some(believed) => match believed.freshness(now) {
                Freshness::Fresh => Need::Nothing,
                Freshness::Stale => Need::Confirmation(believed.checked.record.revision),
            },
            None => Need::Bytes,
        }
    }

    /// The image that the user is known to have.
    pub fn image(&self, user: &UserId) -> Option<ImageId> {
        self.record(user)?.record.image_id
    }

    /// What is known of the user's picture.
    pub fn record(&self, user: &UserId) -> Option<&CheckedRecord> {
        Some(&self.slots.get(user)?.record.as_ref()?.checked)
    }

    /// The rendition, if it is here.
    pub fn rendition(&self, user: &UserId, key: RenditionKey) -> Option<&Rendition> {
        let kept = &self.slots.get(user)?.renditions;
        kept.iter().map(|kept| &kept.rendition).find(|rendition| rendition.key == key)
    }

    /// Takes in what a layer knows, to be believed for `fresh_for` since it was checked, unless
    /// something newer is known. Returns whether it was taken.
    ///
    /// Of two layers that know the same revision the first is kept: they look nearest first. The
    /// server's word always counts.
    pub fn learn(&mut self, checked: CheckedRecord, source: Source, fresh_for: Duration) -> bool {
        let slot = self.slots.entry(checked.record.user_id.clone()).or_default();
        let newer = match (slot.revision(), source) {
            (None, _) => true,
            (Some(known), Source::Network) => checked.record.revision >= known,
            (Some(known), _) => checked.record.revision > known,
        };
        if newer {
            if checked.record.image_id.is_none() {
                slot.renditions.clear();
            }
            slot.failure = None;
            slot.used_at = slot.used_at.max(checked.checked_at);
            slot.record = Some(Believed { checked, fresh_for });
        }
        newer
    }

    /// Takes in a rendition that `source` gave, if it is of the image that the user is known to
    /// have, or if there is nothing else to show. An older image stays until this one is
    /// [confirmed](Self::confirm).
    pub fn keep(&mut self, user: &UserId, rendition: Rendition, source: Source) {
        let Some(slot) = self.slots.get_mut(user) else { return };
        let image = slot.image();
        let current = image == Some(rendition.image());
        // What is held under the same name has the same content.
        let held = slot.renditions.iter().any(|kept| kept.rendition.key == rendition.key);
        if image.is_some() && !held && (current || slot.renditions.is_empty()) {
            slot.renditions.push(Kept { rendition, source, unseen: None, confirmed: false });
            slot.failure = None;
        }
    }

    /// Notes that the rendition decodes: older images of the user's are not needed any more.
    pub fn confirm(&mut self, user: &UserId, key: RenditionKey) {
        let Some(slot) = self.slots.get_mut(user) else { return };
        let current = slot.image() == Some(key.image);
        if let Some(kept) = slot.renditions.iter_mut().find(|kept| kept.rendition.key == key) {
            kept.confirmed = true;
            slot.renditions.retain(|kept| !current || kept.rendition.image() == key.image);
        }
    }

    /// Notes that bytes that came for the rendition do not decode: gives them up, if they are what
    /// is held. Returns whether they were.
    pub fn refute(&mut self, user: &UserId, key: RenditionKey) -> bool {
        let Some(slot) = self.slots.get_mut(user) else { return false };
        let held = slot.renditions.len();
        slot.renditions.retain(|kept| kept.confirmed || kept.rendition.key != key);
        slot.renditions.len() < held
    }

    /// Notes that the user's renditions came with a page that took `took_ms`, and that nobody has
    /// seen them: whoever opens them first got them from their source, not from memory.
    pub fn mark_unseen(&mut self, user: &UserId, took_ms: f64) {
        for kept in self.slots.get_mut(user).into_iter().flat_map(|slot| &mut slot.renditions) {
            kept.unseen = Some(took_ms);
        }
    }

    /// The layer that gives the rendition to someone who asks now, and how long that took in
    /// milliseconds if the asking came before: memory, unless the rendition was unseen.
    pub fn first_look(&mut self, user: &UserId, key: RenditionKey) -> (Source, Option<f64>) {
        let mut kept = self.slots.get_mut(user).into_iter().flat_map(|slot| &mut slot.renditions);
        let Some(kept) = kept.find(|kept| kept.rendition.key == key) else {
            return (Source::Memory, None);
        };
        let took_ms = kept.unseen.take();
        (if took_ms.is_some() { kept.source } else { Source::Memory }, took_ms)
    }

    /// Forgets a rendition that could not be painted.
    pub fn discard(&mut self, user: &UserId, key: RenditionKey) {
        if let Some(slot) = self.slots.get_mut(user) {
            slot.renditions.retain(|kept| kept.rendition.key != key);
        }
    }

    /// Forgets a user that the server does not know, but for the viewers on screen.
    pub fn forget(&mut self, user: &UserId) {
        if let Some(slot) = self.slots.get_mut(user) {
            *slot = Slot { viewers: slot.viewers, used_at: slot.used_at, ..Slot::default() };
        }
    }

    /// Notes that the server could not be asked about the user.
    pub fn fail(&mut self, user: &UserId, failure: OriginError) {
        self.slots.entry(user.clone()).or_default().failure = Some(failure);
    }

    /// Lets the user's record go stale now.
    pub fn expire(&mut self, user: &UserId) {
        if let Some(believed) = self.slots.get_mut(user).and_then(|slot| slot.record.as_mut()) {
            believed.fresh_for = Duration::ZERO;
        }
    }

    /// A picture of the user came on screen.
    pub fn enter(&mut self, user: &UserId, now: Timestamp) {
        let slot = self.slots.entry(user.clone()).or_default();
        slot.viewers += 1;
        slot.used_at = now;
    }

    /// A picture of the user left the screen.
    pub fn leave(&mut self, user: &UserId, now: Timestamp) {
        if let Some(slot) = self.slots.get_mut(user) {
            slot.viewers = slot.viewers.saturating_sub(1);
            slot.used_at = now;
        }
    }

    /// Gives up what is over the limits, least recently used first. What is on screen stays.
    pub fn trim(&mut self, limits: Limits) {
        let held = self.inventory();
        let excess = eviction::plan(held, limits);
        for key in excess {
            if let Key::User(user) = key
                && self.slots.get(&user).is_some_and(|slot| slot.viewers == 0)
            {
                self.slots.remove(&user);
            }
        }
    }

    /// How many users are held.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nobody is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Forgets everything that is not on screen.
    pub fn clear_off_screen(&mut self) {
        self.slots.retain(|_, slot| slot.viewers > 0);
    }

    /// Forgets everything; returns whose pictures were on screen.
    pub fn clear(&mut self) -> Vec<UserId> {
        self.slots.drain().filter(|(_, slot)| slot.viewers > 0).map(|(user, _)| user).collect()
    }

    /// What is held, a line a user, those on screen last to go.
    pub fn inventory(&self) -> Vec<Held> {
        let line = |(user, slot): (&UserId, &Slot)| Held {
            key: Key::User(user.clone()),
            bytes: slot.renditions.iter().map(|kept| kept.rendition.content.len() as u64).sum(),
            used_at: if slot.viewers > 0 { Timestamp(u64::MAX) } else { slot.used_at },
        };
        self.slots.iter().map(line).collect()
    }
}

impl Slot {
    fn revision(&self) -> Option<Revision> {
        Some(self.known()?.revision)
    }

    fn image(&self) -> Option<ImageId> {
        self.known()?.image_id
    }

    fn known(&self) -> Option<&Record> {
        Some(&self.record.as_ref()?.checked.record)
    }

    /// Whether what is here is the answer at `size`: the image as large or larger, or the
    /// knowledge that there is none.
    fn answers(&self, size: Size) -> bool {
        self.known().is_some_and(|record| match record.image_id {
            None => true,
            Some(image) => self
                .renditions
                .iter()
                .any(|kept| kept.rendition.image() == image && kept.rendition.size() >= size),
        })
    }

    /// Of the record's image rather than of an older one; the right size, else the nearest larger,
    /// else the largest.
    fn best(&self, size: Size) -> Option<&Kept> {
        let image = self.image();
        self.renditions.iter().min_by_key(|kept| {
            let held = kept.rendition.size();
            let old = Some(kept.rendition.image()) != image;
            (old, held < size, held.px().abs_diff(size.px()))
        })
    }
}

impl Believed {
    fn freshness(&self, now: Timestamp) -> Freshness {
        Freshness::of(now.since(self.checked.checked_at), self.fresh_for)
    }
}
