//! What is known of one user's picture.

use std::time::Duration;

use miniature_api::{ImageId, Lineage, Revision, Size};

use super::{effect::EffectId, layers::LASTING, targets::Target, view::Shown};
use crate::cache::{
    clock::{Moment, Timestamp},
    entry::{Bytes, CheckedRecord, Rendition, Version},
    key::{RenditionKey, Source},
    tint::Tint,
};

/// The facts about one user.
#[derive(Clone, Debug)]
pub(super) struct Person<B> {
    pub(super) known: Option<Known>,
    /// The server said that there is no such user.
    pub(super) gone: Option<Gone>,
    /// Of the record's image; and of an older one, until one of the newer is known to decode.
    pub(super) held: Vec<Held<B>>,
    /// The sizes that are or were wanted.
    pub(super) targets: Vec<Target>,
    /// What was asked before this is not believed.
    pub(super) believe_from: Moment,
    /// Whether LocalStorage was read for this user.
    pub(super) looked: bool,
    /// Whether layers make rows for this user, or only update those that are there.
    pub(super) keep: bool,
    /// Known to no more than renew the row of IndexedDB, unless it is kept since: forgotten once that is written.
    pub(super) passing: bool,
    pub(super) local: Stored,
    pub(super) durable: Stored,
    /// Of the cache of pictures: what this document has put there.
    pictures: Stored,
    /// A request for a document that says what picture the user has, and when it was sent.
    pub(super) confirming: Option<(EffectId, Moment)>,
    /// When it was last used, as a number that counts up.
    pub(super) used: u64,
    /// The time under which it stands in the index of what is due.
    pub(super) due: Option<Moment>,
}

/// A record and how long it is believed.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) checked: CheckedRecord,
    /// When the answer was asked for that says so.
    pub(super) asked: Moment,
    pub(super) fresh_until: Moment,
    /// Whether it is news to the layers: the server said so, to this document.
    pub(super) heard: bool,
}

/// That there is no such user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    pub(super) asked: Moment,
    pub(super) until: Moment,
    /// What was known of them before: nothing older brings them back, whatever the clocks say.
    pub(super) last: Option<Version>,
}

/// A rendition in memory.
#[derive(Clone, Debug)]
pub(super) struct Held<B> {
    pub(super) rendition: Rendition<B>,
    pub(super) source: Source,
    /// How long it took to come, if it came with a page and nobody has opened it.
    pub(super) unseen: Option<Duration>,
    pub(super) decodes: Decodes,
}

/// Whether the browser decodes a rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decodes {
    /// It was not asked; so many times without an answer in time.
    Unknown(u8),
    /// It is being asked.
    Asked(u8),
    /// It does. What comes from a layer was checked before it was stored.
    Yes,
}

/// What this document knows of a layer's row.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    /// Whether the row was read or written here. Otherwise there may be one.
    pub(super) seen: bool,
    pub(super) record: Option<(Version, Timestamp)>,
    pub(super) renditions: Vec<RenditionKey>,
    pub(super) used_at: Timestamp,
    /// Images that it may hold and must not.
    pub(super) unwanted: Vec<ImageId>,
}

impl<B> Default for Person<B> {
    fn default() -> Self {
        Self {
            known: None,
            gone: None,
            held: Vec::new(),
            targets: Vec::new(),
            believe_from: Moment::NEVER,
            looked: false,
            keep: false,
            passing: false,
            local: Stored::default(),
            durable: Stored::default(),
            pictures: Stored::default(),
            confirming: None,
            used: 0,
            due: None,
        }
    }
}

/// What came of telling a person a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learnt {
    /// It is older than what is known.
    Older,
    /// It confirms what is known.
    Same,
    /// It is news.
    Newer,
}

impl<B: Bytes> Person<B> {
    pub(super) fn version(&self) -> Option<Version> {
        Some(self.known.as_ref()?.checked.version())
    }

    pub(super) fn revision(&self) -> Option<Revision> {
        Some(self.version()?.revision)
    }

    /// The image that the user is known to have.
    pub(super) fn image(&self) -> Option<ImageId> {
        self.known.as_ref()?.checked.record.image_id
    }

    /// Takes in a record. Of two that say the same the one that was checked later stands.
    pub(super) fn learn(&mut self, news: Known) -> Learnt {
        let overruled =
            |gone: Gone| gone.asked > news.asked || gone.last > Some(news.checked.version());
        if self.gone.is_some_and(overruled) {
            return Learnt::Older;
        }
        let learnt = match &self.known {
            Some(known) if known.checked.version() > news.checked.version() => {
                return Learnt::Older;
            }
            Some(known) if known.checked.version() == news.checked.version() => {
                // Of two layers that say the same the nearer one, which was looked at first, counts.
                if known.asked >= news.asked {
                    return Learnt::Older;
                }
                Learnt::Same
            }
            Some(_) | None => Learnt::Newer,
        };
        self.gone = None;
        let image = self.image();
        self.known = Some(news);
        if self.image().is_none() {
            self.drop_bytes(image);
        }
        if learnt == Learnt::Newer {
            self.targets.iter_mut().for_each(Target::forgive);
        }
        learnt
    }

    /// Takes in that there is no such user. What was checked after that was asked stands.
    pub(super) fn forget(&mut self, gone: Gone) -> bool {
        if self.known.as_ref().is_some_and(|known| known.asked > gone.asked) {
            return false;
        }
        let image = self.image();
        let last = self.version().max(self.gone.and_then(|gone| gone.last));
        self.known = None;
        self.gone = Some(Gone { last, ..gone });
        self.drop_bytes(image);
        self.targets.iter_mut().for_each(Target::forgive);
        true
    }

    /// No image stays of someone who has none.
    fn drop_bytes(&mut self, image: Option<ImageId>) {
        let mut images: Vec<ImageId> =
            self.held.drain(..).map(|held| held.rendition.image()).collect();
        images.extend(image);
        for row in [&mut self.local, &mut self.durable, &mut self.pictures] {
            row.unwanted.extend(images.iter().copied());
            row.unwanted.extend(row.renditions.iter().map(|key| key.image));
            row.unwanted.sort_unstable();
            row.unwanted.dedup();
        }
    }

    /// Whether a layer may hold an image that it must not.
    pub(super) fn has_unwanted(&self) -> bool {
        LASTING.into_iter().any(|layer| !self.stored(layer).unwanted.is_empty())
    }

    /// Takes in a rendition, if it is of the image that the user is known to have, or if there is
    /// nothing else to show. An older image stays until this one is known to decode.
    pub(super) fn keep_bytes(&mut self, rendition: Rendition<B>, source: Source, decodes: Decodes) {
        let Some(image) = self.image() else { return };
        let current = rendition.image() == image;
        let is_held = self.held.iter().any(|held| held.rendition.key == rendition.key);
        if is_held || !(current || self.held.is_empty()) {
            return;
        }
        let size = rendition.size();
        self.held.push(Held { rendition, source, unseen: None, decodes });
        if decodes == Decodes::Yes {
            self.drop_older();
        }
        if current {
            let answered = self.targets.iter_mut().filter(|target| target.size <= size);
            answered.for_each(|target| target.failure = None);
        }
    }

    /// Once one of the record's image is known to decode, older images are not needed any more.
    pub(super) fn drop_older(&mut self) {
        let Some(image) = self.image() else { return };
        let decodes =
            |held: &Held<B>| held.rendition.image() == image && held.decodes == Decodes::Yes;
        if self.held.iter().any(decodes) {
            self.held.retain(|held| held.rendition.image() == image);
        }
    }

    /// Whether what the record says can be shown: an image of its own, at some size, or that there
    /// is none.
    pub(super) fn has_what_it_names(&self) -> bool {
        let image = self.image();
        match image {
            None => self.known.is_some(),
            Some(_) => self.held.iter().any(|held| Some(held.rendition.image()) == image),
        }
    }

    pub(super) fn held_mut(&mut self, key: RenditionKey) -> Option<&mut Held<B>> {
        self.held.iter_mut().find(|held| held.rendition.key == key)
    }

    /// The largest rendition here, of the image that is current if there is one of that.
    pub(super) fn largest(&self) -> Option<RenditionKey> {
        let keys = self.held.iter().map(|held| held.rendition.key);
        keys.max_by_key(|key| (Some(key.image) == self.image(), key.size))
    }

    /// Whether what is here is the answer at `size`: the image as large or larger, or the
    /// knowledge that there is none.
    pub(super) fn answers(&self, size: Size) -> bool {
        if self.known.is_none() {
            return self.gone.is_some();
        }
        match self.image() {
            None => true,
            Some(image) => self
                .held
                .iter()
                .any(|held| held.rendition.image() == image && held.rendition.size() >= size),
        }
    }

    /// The revision whose bytes are here at `size` or larger.
    pub(super) fn revision_held(&self, size: Size, lineage: Option<Lineage>) -> Option<Revision> {
        let version = self.version().filter(|version| version.lineage == lineage)?;
        self.answers(size).then_some(version.revision)
    }

    /// Whether what is known may be shown without asking.
    pub(super) fn is_fresh(&self, lineage: Option<Lineage>, now: Moment) -> bool {
        self.fresh_until(lineage).is_some_and(|until| now < until)
    }

    /// Until when it may be, if it may at all.
    pub(super) fn fresh_until(&self, lineage: Option<Lineage>) -> Option<Moment> {
        let (asked, until) = match (&self.known, self.gone) {
            (Some(known), _) if known.checked.lineage == lineage => {
                (known.asked, known.fresh_until)
            }
            (Some(_), _) | (None, None) => return None,
            (None, Some(gone)) => (gone.asked, gone.until),
        };
        (asked >= self.believe_from).then_some(until)
    }

    /// Of the record's image rather than of an older one; the right size, else the nearest larger,
    /// else the largest.
    pub(super) fn best(&self, size: Size) -> Option<&Held<B>> {
        let image = self.image();
        self.held.iter().min_by_key(|held| {
            let held_size = held.rendition.size();
            let old = Some(held.rendition.image()) != image;
            (old, held_size < size, held_size.px().abs_diff(size.px()))
        })
    }

    pub(super) fn shown(&self, size: Size) -> Option<Shown<B>> {
        self.best(size).map(|held| Shown { rendition: held.rendition.clone(), source: held.source })
    }

    /// The colour of the image that the record names.
    pub(super) fn tint(&self) -> Option<Tint> {
        let record = &self.known.as_ref()?.checked.record;
        Tint::of_thumbhash(record.image_id?, record.thumbhash.as_deref()?)
    }

    pub(super) fn target(&self, size: Size) -> Option<&Target> {
        self.targets.iter().find(|target| target.size == size)
    }

    pub(super) fn target_mut(&mut self, size: Size) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| target.size == size)
    }

    /// The target of a size, made where there is none.
    pub(super) fn want(&mut self, size: Size) -> &mut Target {
        let at = self.targets.iter().position(|target| target.size >= size);
        let at = at.unwrap_or(self.targets.len());
        if self.targets.get(at).is_none_or(|target| target.size != size) {
            self.targets.insert(at, Target::new(size));
        }
        &mut self.targets[at]
    }

    /// Whether the answer to what was sent at `sent`, when `known` was known, will be as new as
    /// what is known now: nothing was learnt since that was asked for later.
    fn covers(&self, known: Option<Version>, sent: Moment) -> bool {
        let asked = self.known.as_ref().map(|known| known.asked);
        let as_new = known >= self.version() || asked.is_none_or(|asked| asked <= sent);
        as_new && sent >= self.believe_from
    }

    /// Whether a request under way will bring the bytes at `size`.
    pub(super) fn is_fetching(&self, size: Size) -> bool {
        self.target(size)
            .and_then(|target| target.fetching)
            .is_some_and(|fetching| self.covers(fetching.known, fetching.sent))
    }

    /// Whether something under way will say whether what is known is still so.
    pub(super) fn is_confirming(&self) -> bool {
        self.confirming.is_some_and(|(_, sent)| sent >= self.believe_from)
            || self.targets.iter().any(|target| self.is_fetching(target.size))
    }

    /// Whether something was learnt that was asked for at `sent` or later.
    pub(super) fn heard_after(&self, sent: Moment) -> bool {
        let gone = self.gone.is_some_and(|gone| gone.asked >= sent);
        gone || self.known.as_ref().is_some_and(|known| known.asked >= sent)
    }

    /// Whether nobody but a renewal has to do with it.
    pub(super) fn is_passing(&self) -> bool {
        self.passing && !self.keep && !self.is_wanted() && !self.has_viewers()
    }

    pub(super) fn is_viewed(&self) -> bool {
        self.targets.iter().any(Target::is_viewed)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.targets.iter().any(Target::is_wanted)
    }

    pub(super) fn has_viewers(&self) -> bool {
        self.targets.iter().any(Target::has_viewers)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.held.iter().map(|held| held.rendition.content.byte_len() as u64).sum()
    }

    pub(super) fn stored(&self, layer: Source) -> &Stored {
        match layer {
            Source::LocalStorage => &self.local,
            Source::ServiceWorker => &self.pictures,
            _ => &self.durable,
        }
    }

    pub(super) fn stored_mut(&mut self, layer: Source) -> &mut Stored {
        match layer {
            Source::LocalStorage => &mut self.local,
            Source::ServiceWorker => &mut self.pictures,
            _ => &mut self.durable,
        }
    }
}
