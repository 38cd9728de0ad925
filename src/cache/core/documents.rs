//! One thing that is asked for by its name: a page of a list, a profile, who is signed in.

use super::{
    effect::EffectId,
    pause::{Jitter, Pause},
    targets::Looked,
};
use crate::cache::{
    clock::Moment,
    document::{Document, DocumentKey},
    layer::OriginError,
    policy::Policy,
};

/// The facts about a document.
#[derive(Clone, Debug)]
pub(super) struct Doc {
    pub(super) key: DocumentKey,
    /// What is shown: of this key, or in a list of the page that stood here before.
    pub(super) kept: Option<Kept>,
    /// There is no such thing.
    pub(super) gone: Option<Gone>,
    /// What IndexedDB said of the key.
    pub(super) durable: Looked,
    pub(super) under_way: Option<EffectId>,
    /// Why the last attempt failed. It stays while the next one is made by itself: what a person
    /// can do about it is not to vanish under their hand.
    pub(super) failure: Option<OriginError>,
    malformed: u32,
    pub(super) pause: Pause,
    /// What was asked before this is not believed.
    pub(super) believe_from: Moment,
}

/// The server said that there is no such thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    /// When it was asked.
    pub(super) asked: Moment,
    /// How long that is believed.
    pub(super) until: Moment,
}

/// A document in memory.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) document: Document,
    pub(super) asked: Moment,
    pub(super) fresh_until: Moment,
}

/// What is to be done for a document that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing until something happens, or until then.
    Nothing(Option<Moment>),
    /// Nothing until then: attempts have failed.
    Rest(Moment),
    /// Look into IndexedDB.
    Read,
    /// Ask the server.
    Fetch,
}

/// What stands around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    pub(super) now: Moment,
    pub(super) lineage: Option<miniature_api::Lineage>,
    pub(super) durable: bool,
    pub(super) hidden: bool,
}

impl Doc {
    pub(super) fn new(key: DocumentKey) -> Self {
        Self {
            key,
            kept: None,
            gone: None,
            durable: Looked::No,
            under_way: None,
            failure: None,
            malformed: 0,
            pause: Pause::default(),
            believe_from: Moment::NEVER,
        }
    }

    /// Asks for another key from now on. What is shown stays until that is there.
    pub(super) fn turn_to(&mut self, key: DocumentKey) {
        let kept = self.kept.take();
        *self = Self { kept, ..Self::new(key) };
    }

    /// Whether what is shown is of the key that is asked for.
    pub(super) fn is_current(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.document.key == self.key)
    }

    /// Until when it need not be asked for.
    fn fresh_until(&self, lineage: Option<miniature_api::Lineage>) -> Option<Moment> {
        if let Some(gone) = self.gone {
            return (gone.asked >= self.believe_from).then_some(gone.until);
        }
        let kept = self.kept.as_ref().filter(|_| self.is_current())?;
        let believed = kept.asked >= self.believe_from && Some(kept.document.lineage) == lineage;
        believed.then_some(kept.fresh_until)
    }

    /// What is to be done, if somebody wants it.
    pub(super) fn next(&self, around: Surroundings) -> Next {
        let now = around.now;
        if self.under_way.is_some() {
            return Next::Nothing(None);
        }
        if let Some(until) = self.fresh_until(around.lineage).filter(|until| *until > now) {
            return Next::Nothing(Some(until));
        }
        let lacking = !self.is_current() && self.gone.is_none();
        if lacking && self.durable == Looked::No && around.durable {
            return Next::Read;
        }
        // A hidden page asks for what it never had, once.
        if around.hidden && !(lacking && self.failure.is_none()) {
            return Next::Nothing(None);
        }
        match self.pause.ends() {
            ends if ends > now => Next::Rest(ends),
            _ => Next::Fetch,
        }
    }

    /// A person asks: it is tried now.
    pub(super) fn retry(&mut self, now: Moment) {
        self.failure = None;
        self.malformed = 0;
        self.pause.end_by_hand(now);
    }

    /// An attempt has ended well.
    pub(super) fn succeed(&mut self) {
        self.failure = None;
        self.malformed = 0;
        self.pause = Pause::default();
        self.end_load();
    }

    /// The answer cannot be used. After some in a row it is left alone for a while.
    pub(super) fn refuse(
        &mut self,
        sent: Moment,
        now: Moment,
        policy: &Policy,
        jitter: &mut Jitter,
    ) {
        self.malformed = self.malformed.saturating_add(1);
        self.pause.fail(sent, now, None, policy, jitter);
        if self.malformed >= policy.malformed_attempts {
            self.malformed = 0;
            self.pause = Pause::default();
            self.pause.rest_until(now + policy.document_fresh_for);
        }
    }

    /// A load has ended; the next one asks a layer again that failed.
    pub(super) fn end_load(&mut self) {
        if self.durable == Looked::Failed {
            self.durable = Looked::No;
        }
    }

    /// Takes in what a layer kept, unless something as good is known.
    pub(super) fn keep(&mut self, kept: Kept) {
        let better = |held: &Kept| {
            held.document.key == self.key
                && (held.document.lineage, held.asked) >= (kept.document.lineage, kept.asked)
        };
        let is_gone = self.gone.is_some_and(|gone| gone.asked >= kept.asked);
        let is_asked_for = kept.document.key == self.key;
        if is_asked_for && !is_gone && !self.kept.as_ref().is_some_and(better) {
            let before = self.kept.take().map(|held| held.document.body);
            self.kept = Some(kept);
            self.gone = None;
            // What says the same stays shared.
            if let (Some(kept), Some(before)) = (&mut self.kept, before)
                && kept.document.body == before
            {
                kept.document.body = before;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn after_a_success_the_answers_that_cannot_be_used_are_counted_anew() {
        let (policy, mut jitter) = (Policy::default(), Jitter::new(7));
        let now = Moment::of(Duration::from_secs(60));
        let mut doc = Doc::new(DocumentKey::Friends(None));
        for _ in 0..2 {
            for _ in 1..policy.malformed_attempts {
                doc.failure = Some(OriginError::Malformed);
                doc.refuse(now, now, &policy, &mut jitter);
                assert!(doc.pause.ends() < now + policy.longest_pause);
            }
            doc.succeed();
            assert_eq!((doc.failure, doc.pause.is_failing()), (None, false));
        }
        for _ in 0..policy.malformed_attempts {
            doc.refuse(now, now, &policy, &mut jitter);
        }
        assert_eq!(
            doc.pause.ends(),
            now + policy.document_fresh_for,
            "it is left alone for a while"
        );
    }
}
