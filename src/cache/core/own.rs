//! A picture that its owner has chosen, before the server knows of it.
//!
//! ```text
//! chosen: shown at once ─┬─ taken: shown until the bytes of its record are here
//!                        └─ refused, or withdrawn: what was before is shown again
//! ```
//!
//! **Invariant:** no layer holds it, and it ends with its account.

use miniature_api::{Lineage, Record, UserId};

use super::{Core, View, view::Shown};
use crate::cache::{
    clock::Moment,
    core::Status,
    entry::{Bytes, Rendition, Version},
    key::Source,
};

/// What someone's picture is to be.
#[derive(Clone, Debug)]
pub(super) struct Proposal<B> {
    user: UserId,
    /// None: no picture.
    rendition: Option<Rendition<B>>,
    /// What the server made of it.
    taken: Option<Version>,
}

impl<B: Bytes> Core<B> {
    /// The account's own picture is to be this one, or none.
    pub(super) fn propose(&mut self, rendition: Option<Rendition<B>>) {
        if let Some(user) = self.account.clone() {
            self.proposal = Some(Proposal { user, rendition, taken: None });
            self.touch_proposed();
        }
    }

    /// It is not to be that any more.
    pub(super) fn withdraw(&mut self) {
        self.touch_proposed();
        self.proposal = None;
    }

    /// The server took it, says an answer to what was sent then.
    pub(super) fn taken(
        &mut self,
        account: &UserId,
        record: Record,
        lineage: Lineage,
        sent: Moment,
    ) {
        if self.account.as_ref() != Some(account) || record.user_id != *account {
            return;
        }
        self.see_lineage(lineage);
        let version = Version { lineage: Some(lineage), revision: record.revision };
        self.learn_from_server(record, lineage, sent);
        if let Some(proposal) = &mut self.proposal {
            proposal.taken = Some(version);
        }
        self.touch_proposed();
    }

    fn touch_proposed(&mut self) {
        if let Some(proposal) = &self.proposal {
            self.people.change_known(&proposal.user.clone(), |_| ());
        }
    }

    /// What is seen of someone who has chosen another picture.
    pub(super) fn proposed_view(&self, user: &UserId) -> Option<View<B>> {
        let proposal = self.proposal.as_ref().filter(|proposal| proposal.user == *user)?;
        let person = self.people.get(user)?;
        let is_here = |version| person.version() >= Some(version) && person.has_what_it_names();
        if proposal.taken.is_some_and(is_here) {
            return None;
        }
        let rendition = proposal.rendition.clone();
        let shown = rendition.map(|rendition| Shown { rendition, source: Source::Memory });
        Some(View { shown, revision: person.revision(), ..View::bare(Status::Settled) })
    }
}
