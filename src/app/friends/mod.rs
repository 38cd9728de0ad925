//! The friend list: there at once when it is stored, and growing as one scrolls.

mod band;
mod intent;
mod position;
mod row;

use super::{notice::Notice, profile_modal::ProfileModal};
use crate::{
    store::{FriendList, ListState, use_friend_list},
    ui::use_reveal,
};
use band::{Band, use_band};
use intent::Intent;
pub(super) use position::provide_position;

use leptos::{either::EitherOf4, prelude::*};
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
    load_more_near_the_end(&list, band);
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

/// What stands under the rows, or in their place.
#[component]
fn ListEnd(list: FriendList) -> impl IntoView {
    let friends = list.friends_signal();
    let end = {
        let list = list.clone();
        Memo::new(move |_| (list.state(), friends.read().is_empty()))
    };
    move || match end.get() {
        (ListState::Loading, _) => {
            EitherOf4::A(view! { <p class="quiet" role="status">"Loading friends…"</p> })
        }
        (ListState::Ready, true) => EitherOf4::B(view! { <Notice text="No friends yet." /> }),
        (ListState::Unreachable, true) => EitherOf4::C(view! { <Unreachable list=list.clone() /> }),
        (ListState::Ready | ListState::Unreachable, false) => EitherOf4::D(()),
    }
}

#[component]
fn Unreachable(list: FriendList) -> impl IntoView {
    view! {
        <Notice text="Your friends can’t be loaded: the server can’t be reached.">
            <button type="button" class="button" on:click=move |_| list.retry()>
                "Try again"
            </button>
        </Notice>
    }
}

/// Asks for the next page before one scrolls to the end of what is there.
fn load_more_near_the_end(list: &FriendList, band: Memo<Band>) {
    let (list, friends) = (list.clone(), list.friends_signal());
    Effect::new(move |_| {
        let rows = friends.read().len();
        // Ready again, too, after something else was being loaded.
        let ready = list.state() == ListState::Ready;
        if ready && band.read().nears_end(rows) && list.has_more() {
            list.load_more();
        }
    });
}
