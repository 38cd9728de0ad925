//! A profile: the picture large, who it is, and what they say of themselves.

use super::notice::Notice;
use crate::{
    store::{ProfileState, use_profile},
    ui::CachedProfilePicture,
};
use leptos::{either::Either, prelude::*};
use miniature_api::UserId;

/// The edge of the picture, in CSS pixels: 256 on a plain screen, 512 on a dense one.
pub(super) const PROFILE_PICTURE: u32 = 192;

/// What is on a card; as much as is known.
#[derive(Clone, Debug, Default, PartialEq)]
struct Card {
    name: Option<String>,
    headline: String,
    friends: Option<u32>,
    /// Why there is no more to it.
    trouble: Option<&'static str>,
}

impl Card {
    fn of(state: ProfileState) -> Self {
        let (friend, trouble) = match state {
            ProfileState::Ready(profile) => {
                return Self {
                    name: Some(profile.name),
                    headline: profile.headline,
                    friends: Some(profile.friend_count),
                    trouble: None,
                };
            }
            ProfileState::NotFound => (None, Some("There is nobody here.")),
            ProfileState::Loading(friend) => (friend, None),
            ProfileState::Unreachable(None) => (None, Some("The server can’t be reached.")),
            ProfileState::Unreachable(friend) => (friend, None),
        };
        match friend {
            Some(friend) => {
                Self { name: Some(friend.name), headline: friend.headline, friends: None, trouble }
            }
            None => Self { trouble, ..Self::default() },
        }
    }
}

/// A user's profile, with what is known at once and the rest when it arrives.
#[component]
pub(super) fn ProfileCard(
    /// Whose.
    user: UserId,
    /// The id of the heading, for whatever is labelled by it.
    heading: &'static str,
) -> impl IntoView {
    let user = Signal::stored(user);
    let profile = use_profile(user);
    let card = Signal::derive(move || Card::of(profile.get()));
    let trouble = Memo::new(move |_| card.read().trouble);
    move || match trouble.get() {
        Some(text) => Either::Left(view! {
            <h2 id=heading class="visually-hidden">"Profile"</h2>
            <Notice text />
        }),
        None => Either::Right(view! { <CardBody user card heading /> }),
    }
}

#[component]
fn CardBody(user: Signal<UserId>, card: Signal<Card>, heading: &'static str) -> impl IntoView {
    let name = Signal::derive(move || card.read().name.clone().unwrap_or_default());
    let loading = move || card.read().name.is_none();
    view! {
        <div class="profile-card">
            <CachedProfilePicture user name size=PROFILE_PICTURE labelled=false />
            <h2 id=heading class="profile-name" class:quiet=loading>
                {move || if loading() { "Loading…".into() } else { name.get() }}
            </h2>
            <p class="profile-headline">{move || card.read().headline.clone()}</p>
            <p class="profile-friends">{move || card.read().friends.map(friends)}</p>
        </div>
    }
}

fn friends(count: u32) -> String {
    match count {
        0 => "No friends yet".into(),
        1 => "1 friend".into(),
        more => format!("{more} friends"),
    }
}
