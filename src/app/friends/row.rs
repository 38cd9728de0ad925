//! A friend, as a row of the list.

use super::super::{place::profile_path, profile_modal::FROM_LIST};
use crate::ui::CachedProfilePicture;
use leptos::prelude::*;
use miniature_api::Friend;

#[component]
pub(super) fn FriendRow(
    friend: Friend,
    /// Where it stands.
    #[prop(into)]
    at: Signal<usize>,
    /// How many rows there are; none if that is not known yet.
    #[prop(into)]
    of: Signal<Option<usize>>,
) -> impl IntoView {
    let Friend { user_id, name, headline, .. } = friend;
    let path = profile_path(&user_id);
    let (user, shown_name) = (Signal::stored(user_id), Signal::stored(name.clone()));
    view! {
        <li
            style=("--at", move || at.get().to_string())
            aria-posinset=move || (at.get() + 1).to_string()
            aria-setsize=move || of.get().map_or("-1".to_owned(), |of| of.to_string())
        >
            // The list stays where it is under the profile: no scrolling to the top.
            <a class="friend" data-testid="friend" href=path data-noscroll="true" prop:state=FROM_LIST>
                <CachedProfilePicture user name=shown_name labelled=false />
                <span class="friend-text">
                    <span class="friend-name"><bdi>{name}</bdi></span>
                    <span class="friend-headline"><bdi>{headline}</bdi></span>
                </span>
            </a>
        </li>
    }
}
