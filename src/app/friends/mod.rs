//! The friend list: there at once when it is stored, and growing as one scrolls.

mod band;
mod end;
mod intent;
mod position;
mod row;

use super::profile_modal::ProfileModal;
use crate::{
    store::{FriendList, react, use_friend_list},
    ui::use_reveal,
};
use band::{Band, use_band};
use end::ListEnd;
use intent::Intent;
pub(super) use position::{forget_position, provide_position};

use leptos::prelude::*;
use row::FriendRow;

/// The list, and a profile over it.
#[component]
pub(super) fn FriendsPage() -> impl IntoView {
    let intent = Intent::new();
    view! {
        <h1>"Friends"</h1>
        {use_friend_list().map(|list| view! { <Friends list intent /> })}
        <ProfileModal expected=intent.expected() />
    }
}

#[component]
fn Friends(list: FriendList, intent: Intent) -> impl IntoView {
    let band = use_band();
    say_what_is_seen(&list, band);
    let friends = list.friends_signal();
    intent.prefetch_in_view(friends.clone(), band);
    let rows = friends.clone();
    let list_ref = NodeRef::new();
    let revealed = use_reveal(list_ref, Signal::derive(move || !rows.read().is_empty()));

    view! {
        <ul
            node_ref=list_ref
            class="friend-list"
            class:held=move || !revealed.get()
            data-testid="friend-list"
            on:pointermove=move |event| intent.at(&event)
            on:touchstart:passive=move |event| intent.at(&event)
            on:focusin=move |event| intent.at(&event)
        >
            <ForEnumerate
                each=move || friends.get()
                // A row is made anew when what it says changes; its picture follows by itself.
                key=|friend| (friend.user_id.clone(), friend.name.clone(), friend.headline.clone())
                children=move |index, friend| view! { <FriendRow friend index band /> }
            />
        </ul>
        <ListEnd list />
    }
}

/// The rows near the viewport are kept up to date; where they reach beyond the end of what is
/// known, more is asked for.
fn say_what_is_seen(list: &FriendList, band: Memo<Band>) {
    let left = list.clone();
    on_cleanup(move || left.look_away());
    let list = list.clone();
    react(move || list.look_at(band.read().wanted()));
}
