//! Profiles that are or were looked at.

use miniature_api::UserId;

use super::{Core, Doc, Profile, ProfileView};
use crate::cache::{
    document::{Body, DocumentKey},
    entry::Bytes,
};

impl<B: Bytes> Core<B> {
    #[inline(never)]
    pub(super) fn view_profile(&mut self, user: UserId) {
        let used = self.people.next_number();
        if self.profile_mut(&user).is_none() {
            self.forget_a_profile();
            let doc = Doc::new(DocumentKey::Profile(user.clone()));
            let profile = Profile { viewers: 0, used, doc, handed: None };
            self.profiles.push((user.clone(), profile));
        }
        if let Some(profile) = self.profile_mut(&user) {
            profile.viewers += 1;
            profile.used = used;
            profile.handed = Some(profile.view());
        }
    }

    /// Where there are too many, forgets the one that was looked at longest ago.
    fn forget_a_profile(&mut self) {
        let unused = self.profiles.iter().enumerate().filter(|(_, (_, p))| p.viewers == 0);
        let oldest = unused.min_by_key(|(_, (_, p))| p.used).map(|(at, _)| at);
        if let Some(at) = oldest.filter(|_| self.profiles.len() >= self.policy.profiles) {
            self.profiles.swap_remove(at);
        }
    }

    pub(super) fn held_profile(&self, user: &UserId) -> Option<&Profile> {
        self.profiles.iter().find(|(other, _)| other == user).map(|(_, profile)| profile)
    }

    pub(super) fn profile_mut(&mut self, user: &UserId) -> Option<&mut Profile> {
        self.profiles.iter_mut().find(|(other, _)| other == user).map(|(_, profile)| profile)
    }

    #[inline(never)]
    pub(super) fn leave_profile(&mut self, user: &UserId) {
        let Some(profile) = self.profile_mut(user) else {
            return;
        };
        profile.viewers = profile.viewers.saturating_sub(1);
        if profile.viewers > 0 {
            return;
        }
        profile.handed = None;
        let under_way = profile.doc.under_way;
        if let Some(id) = under_way.filter(|id| self.flights.is_request(*id)) {
            self.cancel(id);
        }
    }
}

impl Profile {
    pub(super) fn view(&self) -> ProfileView {
        if let Some(kept) = &self.doc.kept
            && let Body::Profile(profile) = &kept.document.body
        {
            return ProfileView::Known(profile.clone());
        }
        match self.doc.failure {
            _ if self.doc.gone.is_some() => ProfileView::NotFound,
            Some(error) => ProfileView::Failed(error),
            None => ProfileView::Loading,
        }
    }
}
