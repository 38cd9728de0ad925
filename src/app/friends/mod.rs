//! The friend list: there at once when it is stored, and growing as one scrolls.

mod band;
mod end;
mod filter;
mod intent;
mod later;
mod row;
mod shown;

use super::notice::Trouble;
use crate::{
    store::{FriendList, react, use_friend_list, use_page_shown},
    ui::{self, use_reveal},
};
use band::{Band, use_band};
use end::ListEnd;
use filter::Filter;
use intent::{Intent, user_of};
use later::beside_the_list;

use leptos::prelude::*;
use miniature_api::BATCH_LIMIT;
use row::FriendRow;
use shown::{Place, use_shown};

/// The list, and a profile over it.
#[component]
pub(super) fn FriendsPage() -> impl IntoView {
    let (intent, ahead) = (Intent::new(), RwSignal::new(false));
    let (expected, shown) = (intent.expected(), use_page_shown());
    react(move || {
        if !shown.get() {
            intent.forget();
        }
    });
    let not_loaded =
        |retry| view! { <Trouble text="Profiles could not be loaded." retry /> }.into_any();
    view! {
        <h1>"Friends"</h1>
        {use_friend_list().map(|list| view! { <Friends list intent ahead /> })}
        {ui::later(move || beside_the_list(expected, ahead), None, not_loaded)}
    }
}

#[component]
fn Friends(list: FriendList, intent: Intent, ahead: RwSignal<bool>) -> impl IntoView {
    let band = use_band();
    let wanted = RwSignal::new(String::new());
    let shown = use_shown(&list, wanted);
    let searches = Memo::new(move |_| shown.read().is_search());
    say_what_is_seen(&list, band, searches, ahead);
    intent.prefetch_in_view(shown, band);
    let focused = RwSignal::new(None::<Place>);
    let drawn = Memo::new(move |_| shown.read().drawn(&band.read(), focused.read().as_ref()));
    let count = Memo::new(move |_| shown.read().len());
    let whole = list.clone();
    let of = Memo::new(move |_| (!whole.has_more()).then(|| count.get()));
    let list_ref = NodeRef::new();
    let revealed = use_reveal(list_ref, Signal::derive(move || count.get() > 0));
    let focus = move |event: &web_sys::Event| {
        if let Some(user) = user_of(event) {
            let drawn = drawn.read_untracked();
            focused.set(drawn.iter().find(|place| place.friend.user_id == user).cloned());
        }
    };

    view! {
        <Filter wanted />
        <ul
            node_ref=list_ref
            class="friend-list"
            class:held=move || !revealed.get()
            data-testid="friend-list"
            style=("--rows", move || count.get().to_string())
            on:pointermove=move |event| intent.at(&event)
            on:touchstart:passive=move |event| intent.at(&event)
            on:focusin=move |event| {
                intent.at(&event);
                focus(&event);
            }
        >
            <ForEnumerate
                each=move || drawn.get()
                key=Place::words
                children=move |index, place| {
                    let was = place.at;
                    let at = Memo::new(move |_| {
                        drawn.read().get(index.get()).map_or(was, |place| place.at)
                    });
                    view! { <FriendRow friend=place.friend at of /> }
                }
            />
        </ul>
        <ListEnd list shown />
    }
}

/// The rows near the viewport are kept up to date; where they reach beyond the end of what is
/// known, more is asked for; and all of them where a name is looked for. None while the page is hidden.
fn say_what_is_seen(
    list: &FriendList,
    band: Memo<Band>,
    searches: Memo<bool>,
    ahead: RwSignal<bool>,
) {
    let left = list.clone();
    on_cleanup(move || left.look_away());
    let (list, shown) = (list.clone(), use_page_shown());
    react(move || {
        if !shown.get() {
            list.look_away();
        } else if searches.get() {
            list.look_through();
        } else {
            list.look_at(band.read().wanted(), if ahead.get() { BATCH_LIMIT } else { 0 });
        }
    });
}
