//! Where the address bar is, as one of a closed set.

use super::address::use_address;
use crate::store::react;
use leptos::prelude::*;
use miniature_api::UserId;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `/`: wherever one begins.
    Home,
    /// `/sign-in`
    SignIn,
    /// `/friends`, or `/friends/{user_id}` with a profile open over the list.
    Friends(Option<UserId>),
    /// `/feed`
    Feed,
    /// `/me`
    Me,
    /// Any other path.
    Nowhere,
}

impl Place {
    /// What a URL's path names.
    pub(super) fn at(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments[..] {
            [] => Self::Home,
            ["sign-in"] => Self::SignIn,
            ["friends"] => Self::Friends(None),
            ["friends", user] => {
                user.parse().map_or(Self::Nowhere, |user| Self::Friends(Some(user)))
            }
            ["feed"] => Self::Feed,
            ["me"] => Self::Me,
            _ => Self::Nowhere,
        }
    }

    /// The page, whatever is open over it.
    pub(super) fn page(&self) -> Page {
        match self {
            // Both redirect a signed-in user to the list; it may as well be there already.
            Self::Home | Self::SignIn | Self::Friends(_) => Page::Friends,
            Self::Feed => Page::Feed,
            Self::Me => Page::Me,
            Self::Nowhere => Page::NotFound,
        }
    }

    /// Whether there is something to see that one may want to come back to.
    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Friends(_) | Self::Feed | Self::Me)
    }

    /// Whose profile is open.
    pub(super) fn profile(&self) -> Option<&UserId> {
        match self {
            Self::Friends(profile) => profile.as_ref(),
            Self::Home | Self::SignIn | Self::Feed | Self::Me | Self::Nowhere => None,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Home | Self::Friends(_) => "Friends · Miniature",
            Self::SignIn => "Sign in · Miniature",
            Self::Feed => "Feed · Miniature",
            Self::Me => "Me · Miniature",
            Self::Nowhere => "Not found · Miniature",
        }
    }
}

/// A page for who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Friends,
    Feed,
    Me,
    NotFound,
}

impl Page {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// Whether it stays when another page is shown. What one edits begins anew.
    pub(super) fn is_kept(self) -> bool {
        matches!(self, Self::Friends | Self::Feed)
    }
}

/// The path of a user's profile.
pub(super) fn profile_path(user: &UserId) -> String {
    format!("/friends/{user}")
}

/// Follows the address bar, for [`use_place`].
pub(super) fn provide_place() {
    let address = use_address();
    let place = Memo::new(move |_| Place::at(&address.path()));
    react(move || {
        document().set_title(place.read().title());
        address.settle();
    });
    provide_context(place);
}

/// Where the address bar is.
pub(super) fn use_place() -> Memo<Place> {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_place() {
        let cases = [
            ("/", Place::Home),
            ("", Place::Home),
            ("/sign-in", Place::SignIn),
            ("/friends", Place::Friends(None)),
            ("/friends/", Place::Friends(None)),
            ("/friends/ada", Place::Friends(Some("ada".parse().unwrap()))),
            ("/friends/ada/", Place::Friends(Some("ada".parse().unwrap()))),
            ("/friends/no%20id", Place::Nowhere),
            ("/friends/ada/more", Place::Nowhere),
            ("/me", Place::Me),
            ("/Friends", Place::Nowhere),
        ];
        for (path, expected) in cases {
            assert_eq!(Place::at(path), expected, "{path}");
        }
    }

    #[test]
    fn a_profile_is_open_at_its_own_path() {
        let ada: UserId = "ada".parse().unwrap();
        assert_eq!(Place::at(&profile_path(&ada)).profile(), Some(&ada));
    }
}
