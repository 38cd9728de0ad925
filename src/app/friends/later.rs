//! What the list does not need to be painted: the profile over it, and what is loaded before anybody asks
//! for it.

use super::super::{feed::feed_ahead, profile_modal::profile_modal};
use crate::{
    browser::{schedule, viewport},
    cache::core::Rows,
    store::{react, use_friend_list, use_page_shown},
};
use leptos::prelude::*;
use miniature_api::UserId;
use std::time::Duration;

/// A busy page loads ahead, too.
const WITHIN: Duration = Duration::from_secs(5);

/// A profile over the list, and nothing else that is seen. `ahead` becomes true once the list is painted and
/// the browser has nothing else to do; never for those who save data or have a slow line.
#[inline(never)]
pub(super) fn beside_the_list(expected: Signal<Option<UserId>>, ahead: RwSignal<bool>) -> AnyView {
    let list = use_friend_list().filter(|_| !viewport::spares_traffic());
    if let Some(friends) = list.map(|list| list.friends_signal()) {
        begin_after(friends, ahead);
    }
    let shown = use_page_shown();
    react(move || {
        if ahead.get() && shown.get() {
            feed_ahead();
        }
    });
    profile_modal(expected)
}

fn begin_after(friends: ArcRwSignal<Rows>, ahead: RwSignal<bool>) {
    let mut begun = false;
    react(move || {
        if !friends.read().is_empty() && !std::mem::replace(&mut begun, true) {
            let begin = move || {
                let _ = ahead.try_set(true);
            };
            schedule::once_painted(move || schedule::on_idle(begin, WITHIN));
        }
    });
}
