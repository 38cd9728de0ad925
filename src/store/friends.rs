//! The friend list: shown from LocalStorage or IndexedDB at once, and renewed in the background.

use std::ops::Range;

use leptos::prelude::*;
use miniature_api::{Friend, Size, UserId};

use super::{driver::driver, react::react, screen::rendition_size_untracked};
use crate::cache::core::{Core, Event, FriendsView, ListState, ListView, Rows};

/// The edge of a picture in the list, in CSS pixels. `boot.js` asks for pictures of this size, too.
pub const LIST_PICTURE_PX: u32 = 48;

/// The signed-in user's friends, as far as they were scrolled to. Clones share one list.
#[derive(Clone, Debug)]
pub struct FriendList {
    friends: ArcRwSignal<Rows>,
    state: ArcRwSignal<ListState>,
    has_more: ArcRwSignal<bool>,
}

/// Builds the friend list of the account whose cache was provided, and puts it into the context.
/// The first page that LocalStorage holds is there when this returns.
pub fn provide_friend_list() -> FriendList {
    let FriendsView { friends, state, has_more } = driver().read(Core::friends);
    let list = FriendList {
        friends: ArcRwSignal::new(friends),
        state: ArcRwSignal::new(state),
        has_more: ArcRwSignal::new(has_more),
    };
    list.look_away();
    let follower = list.clone();
    react(move || {
        let driver = driver();
        driver.signals.friends.track();
        follower.show(driver.read(Core::friends));
    });
    provide_context(list.clone());
    list
}

/// The friend list in the context.
pub fn use_friend_list() -> Option<FriendList> {
    use_context()
}

impl FriendList {
    /// The friends scrolled to so far, in the order of the list, nobody twice.
    pub fn friends_signal(&self) -> ArcRwSignal<Rows> {
        self.friends.clone()
    }

    /// How far the list has come. Tracks.
    pub fn state(&self) -> ListState {
        self.state.get()
    }

    /// Whether there are friends beyond those scrolled to. Tracks.
    pub fn has_more(&self) -> bool {
        self.has_more.get()
    }

    /// Says which rows are in view or near it, by index. A range that reaches beyond the rows that
    /// there are asks for more. So many behind them are loaded `ahead`, unless they are there.
    pub fn look_at(&self, rows: Range<usize>, ahead: usize) {
        self.view(rows, Some(rendition_size_untracked(LIST_PICTURE_PX)), ahead);
    }

    /// Says that somebody is looked for who may stand beyond the rows that there are: page by page
    /// all come, without pictures.
    pub fn look_through(&self) {
        self.view(usize::MAX - 1..usize::MAX, None, 0);
    }

    fn view(&self, rows: Range<usize>, pictures: Option<Size>, ahead: usize) {
        let driver = driver();
        let pictures = pictures.filter(|_| !driver.signals.bypass.is_on_untracked());
        driver.handle(Event::FriendsViewed(ListView { rows, pictures, ahead }));
    }

    /// Says that the list is not on screen. Its first page is kept up to date.
    pub fn look_away(&self) {
        self.look_at(0..0, 0);
    }

    /// Asks again, now, for what could not be had.
    pub fn retry(&self) {
        driver().handle(Event::Retry);
    }

    /// The friend, if they were scrolled to. Tracks.
    pub fn find(&self, user: &UserId) -> Option<Friend> {
        self.friends.with(|friends| friends.iter().find(|friend| friend.user_id == *user).cloned())
    }

    fn show(&self, view: FriendsView) {
        update(&self.friends, view.friends);
        update(&self.state, view.state);
        update(&self.has_more, view.has_more);
    }
}

fn update<T: PartialEq + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|held| *held != value) {
        signal.set(value);
    }
}
