//! Profiles: shown from the list or IndexedDB at once, and renewed in the background.

use leptos::prelude::*;
use miniature_api::{Friend, Profile, UserId};

use super::{
    connection::{Connection, use_connection},
    friends::use_friend_list,
    picture_store::{PictureCache, use_picture_cache},
};
use crate::{
    browser::{clock::BrowserClock, indexed_db::IndexedDbShelf, json, schedule},
    cache::clock::Clock,
};

/// What is known of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileState {
    /// Being asked for; the friend list may know the person meanwhile.
    Loading(Option<Friend>),
    /// The profile.
    Ready(Profile),
    /// There is no such user.
    NotFound,
    /// The server could not be asked; the friend list may know the person.
    Unreachable(Option<Friend>),
}

/// How far the asking has come for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Asking,
    Answered(Profile),
    /// There is no such user.
    Nobody,
    /// The server could not be asked.
    InVain,
}

/// The profile of a user, from IndexedDB if it is held there, and then from the server.
pub fn use_profile(user: Signal<UserId>) -> Signal<ProfileState> {
    let asked = ArcRwSignal::new(Asked::Asking);
    let list = use_friend_list();
    let (connection, cache) = (use_connection(), use_picture_cache());
    let answers = asked.clone();
    Effect::new(move |_| {
        // Asks again, too, when the server is back.
        let reachable = connection.is_reachable();
        let asking = Asking {
            user: user.get(),
            current: user,
            answers: answers.clone(),
            connection: connection.clone(),
            cache: cache.clone(),
        };
        let known = untrack(|| answers.with(|asked| asking.is_about(asked)));
        if !known {
            answers.set(Asked::Asking);
        }
        if reachable || !known {
            schedule::spawn(asking.ask());
        }
    });
    Signal::derive(move || {
        let friend = || list.as_ref().and_then(|list| list.find(&user.get()));
        match asked.get() {
            Asked::Answered(profile) if profile.user_id == user.get() => {
                ProfileState::Ready(profile)
            }
            Asked::Asking | Asked::Answered(_) => ProfileState::Loading(friend()),
            Asked::Nobody => ProfileState::NotFound,
            Asked::InVain => ProfileState::Unreachable(friend()),
        }
    })
}

/// One asking, which ends in nothing if someone else's profile is wanted by then.
struct Asking {
    user: UserId,
    current: Signal<UserId>,
    answers: ArcRwSignal<Asked>,
    connection: Connection,
    cache: Option<PictureCache>,
}

impl Asking {
    fn is_about(&self, asked: &Asked) -> bool {
        matches!(asked, Asked::Answered(profile) if profile.user_id == self.user)
    }

    async fn ask(self) {
        if let Some(profile) = self.held().await {
            self.answer(Asked::Answered(profile));
        }
        match self.connection.note(self.connection.api().profile(&self.user).await) {
            Ok(Some(profile)) => {
                self.answer(Asked::Answered(profile.clone()));
                self.keep(&profile).await;
            }
            Ok(None) => self.answer(Asked::Nobody),
            // What is held stays up.
            Err(_) if self.answers.with_untracked(|asked| self.is_about(asked)) => {}
            Err(_) => self.answer(Asked::InVain),
        }
    }

    fn answer(&self, asked: Asked) {
        if self.current.try_get_untracked().as_ref() == Some(&self.user) {
            self.answers.set(asked);
        }
    }

    async fn held(&self) -> Option<Profile> {
        let name = self.name();
        let get = async |shelf: &IndexedDbShelf| shelf.page_get(&name).await;
        let text = self.cache.as_ref()?.pipeline().ask_durable(get).await??;
        json::read(&text)
    }

    /// Keeps the profile for the next visit. A storage that refuses costs that visit a request.
    async fn keep(&self, profile: &Profile) {
        let (Some(cache), Some(text)) = (&self.cache, json::write(profile)) else { return };
        let (name, now) = (self.name(), BrowserClock.now());
        let put = async |shelf: &IndexedDbShelf| shelf.page_put(&name, &text, now).await;
        cache.pipeline().ask_durable(put).await;
        cache.observe(vec![profile.picture.clone()]);
    }

    fn name(&self) -> String {
        format!("profile:{}", self.user)
    }
}
