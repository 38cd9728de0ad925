//! A profile: the picture large, who it is, and what they say of themselves.

use super::notice::{Notice, Trouble};
use crate::{
    store::{ProfileState, use_picture_cache, use_profile},
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
    trouble: Option<Why>,
}

/// Why there is no more to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// There is no such user.
    Nobody,
    /// The server could not be asked.
    Unreachable,
}

impl Card {
    /// What follows on `before`: that the server cannot be reached is said until it can, and not
    /// taken back while it is tried again.
    fn next(before: Option<&Self>, state: ProfileState) -> Self {
        let still = before.and_then(|card| card.trouble).filter(|why| *why == Why::Unreachable);
        let (friend, trouble) = match state {
            ProfileState::Ready(profile) => {
                return Self {
                    name: Some(profile.name),
                    headline: profile.headline,
                    friends: Some(profile.friend_count),
                    trouble: None,
                };
            }
            ProfileState::NotFound => (None, Some(Why::Nobody)),
            ProfileState::Loading(friend) => (friend, still),
            ProfileState::Unreachable(friend) => (friend, Some(Why::Unreachable)),
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
    let card = Memo::new(move |before: Option<&Card>| Card::next(before, profile.get()));
    let trouble = Memo::new(move |_| card.read().trouble);
    let cache = use_picture_cache();
    let retry = Callback::new(move |()| {
        if let Some(cache) = &cache {
            cache.retry();
        }
    });
    let bare = Memo::new(move |_| card.with(|card| card.trouble.is_some() && card.name.is_none()));
    view! {
        {move || match bare.get() {
            true => Either::Left(view! { <h2 id=heading class="visually-hidden">"Profile"</h2> }),
            false => Either::Right(view! { <CardBody user card heading /> }),
        }}
        {move || trouble.get().map(|why| match why {
            Why::Nobody => Either::Left(view! { <Notice text="There is nobody here." /> }),
            Why::Unreachable => {
                Either::Right(view! { <Trouble text="The server can’t be reached." retry /> })
            }
        })}
    }
}

#[component]
fn CardBody(user: Signal<UserId>, card: Memo<Card>, heading: &'static str) -> impl IntoView {
    let name = Signal::derive(move || card.read().name.clone().unwrap_or_default());
    let loading = move || card.read().name.is_none();
    view! {
        <div class="profile-card">
            <CachedProfilePicture user name size=PROFILE_PICTURE labelled=false />
            <h2 id=heading class="profile-name" class:quiet=loading>
                <bdi>{move || if loading() { "Loading…".into() } else { name.get() }}</bdi>
            </h2>
            <p class="profile-headline"><bdi>{move || card.read().headline.clone()}</bdi></p>
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

#[cfg(test)]
mod tests {
    use super::*;
    use miniature_api::{Friend, Profile, Record, Revision};

    fn picture() -> Record {
        Record {
            user_id: "grace".parse().unwrap(),
            revision: Revision(1),
            image_id: None,
            thumbhash: None,
        }
    }

    fn friend() -> Friend {
        let (name, headline) = ("Grace".into(), "Compiles".into());
        Friend { user_id: "grace".parse().unwrap(), name, headline, picture: picture() }
    }

    fn profile() -> Profile {
        let Friend { user_id, name, headline, picture } = friend();
        Profile { user_id, name, headline, friend_count: 2, picture }
    }

    /// What is on the card: the name, how many friends, and why there is no more.
    fn summary(card: &Card) -> (Option<&str>, Option<u32>, Option<Why>) {
        (card.name.as_deref(), card.friends, card.trouble)
    }

    #[test]
    fn a_card_shows_as_much_as_is_known() {
        use ProfileState::{Loading, NotFound, Ready, Unreachable};
        let cases = [
            ("nothing yet", Loading(None), (None, None, None)),
            ("what the list knows", Loading(Some(friend())), (Some("Grace"), None, None)),
            ("all of it", Ready(profile()), (Some("Grace"), Some(2), None)),
            ("nobody", NotFound, (None, None, Some(Why::Nobody))),
            ("no server", Unreachable(None), (None, None, Some(Why::Unreachable))),
            (
                "no server, but the list",
                Unreachable(Some(friend())),
                (Some("Grace"), None, Some(Why::Unreachable)),
            ),
        ];
        for (name, state, expected) in cases {
            assert_eq!(summary(&Card::next(None, state)), expected, "{name}");
        }
    }

    #[test]
    fn that_the_server_is_away_is_said_until_it_answers() {
        use ProfileState::{Loading, NotFound, Ready, Unreachable};
        let away = Card::next(None, Unreachable(Some(friend())));
        let again = Card::next(Some(&away), Loading(Some(friend())));
        assert_eq!(again.trouble, Some(Why::Unreachable), "tried again");
        assert_eq!(Card::next(Some(&again), Ready(profile())).trouble, None);
        assert_eq!(Card::next(Some(&again), NotFound).trouble, Some(Why::Nobody));

        let nobody = Card::next(None, NotFound);
        assert_eq!(Card::next(Some(&nobody), Loading(None)).trouble, None, "asked for anew");
    }

    #[test]
    fn one_friend_is_not_friends() {
        let cases = [(0, "No friends yet"), (1, "1 friend"), (2, "2 friends")];
        for (count, expected) in cases {
            assert_eq!(friends(count), expected);
        }
    }
}
