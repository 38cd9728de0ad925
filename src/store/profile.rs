//! Profiles: shown from the list or IndexedDB at once, and renewed in the background.

use std::rc::Rc;

use leptos::prelude::*;
use miniature_api::{Friend, Profile, UserId};
use send_wrapper::SendWrapper;

use super::{driver::driver, friends::use_friend_list, page_scope::use_page_shown};
use crate::cache::core::{Event, ProfileView};

/// What is known of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileState {
    /// Being asked for; the friend list may know the person meanwhile.
    Loading(Option<Friend>),
    /// The profile.
    Ready(Profile),
    /// There is no such user.
    NotFound,
    /// It could not be had, and is tried again; the friend list may know the person.
    Unreachable(Option<Friend>),
}

/// The profile of a user, from IndexedDB if it is held there, and then from the server. Nothing is asked
/// for it in a hidden page.
pub fn use_profile(user: Signal<UserId>) -> Signal<ProfileState> {
    let list = use_friend_list();
    let shown = use_page_shown();
    let begin = move |_: Option<&Viewing>| Viewing::begin(user.get(), shown.get());
    let viewing = Memo::new_with_compare(begin, |_, _| true);
    Signal::derive(move || {
        let (view, user) = viewing.with(|viewing| (viewing.view(), viewing.0.user.clone()));
        let friend = || list.as_ref().and_then(|list| list.find(&user));
        match view {
            ProfileView::Known(profile) => ProfileState::Ready(profile),
            ProfileView::NotFound => ProfileState::NotFound,
            ProfileView::Loading => ProfileState::Loading(friend()),
            ProfileView::Failed(_) => ProfileState::Unreachable(friend()),
        }
    })
}

/// Someone who looks at a profile, until the last clone drops.
#[derive(Clone)]
struct Viewing(SendWrapper<Rc<Watch>>);

struct Watch {
    user: UserId,
    signal: ArcTrigger,
    shown: bool,
}

impl Viewing {
    fn begin(user: UserId, shown: bool) -> Self {
        let driver = driver();
        let signal = driver.signals.profiles.watch(&user);
        if shown {
            driver.handle(Event::ProfileViewed(user.clone()));
        }
        Self(SendWrapper::new(Rc::new(Watch { user, signal, shown })))
    }

    /// Tracks.
    fn view(&self) -> ProfileView {
        self.0.signal.track();
        driver().read(|core| core.profile(&self.0.user))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let driver = driver();
        driver.signals.profiles.unwatch(&self.user);
        if self.shown {
            driver.handle(Event::ProfileLeft(self.user.clone()));
        }
    }
}
