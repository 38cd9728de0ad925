//! What the cache of pictures of an account says to a document.

use super::{Blob, Fault, Pictures, Under};
use crate::cache::{
    core::{Answer, Written},
    key::Source,
};

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
}
