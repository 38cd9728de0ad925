//! A friend, as a row of the list.

use super::{
    super::{place::profile_path, profile_modal::FROM_LIST},
    band::Band,
};
use crate::ui::CachedProfilePicture;
use leptos::{either::Either, prelude::*};
use miniature_api::Friend;

#[component]
pub(super) fn FriendRow(
    friend: Friend,
    /// Where in the list.
    index: ReadSignal<usize>,
    band: Memo<Band>,
) -> impl IntoView {
    let Friend { user_id, name, headline, .. } = friend;
    let held = Memo::new(move |_| band.read().holds(index.get()));
    let path = profile_path(&user_id);
    let (user, shown_name) = (Signal::stored(user_id), Signal::stored(name.clone()));
    view! {
        <li>
            // The list stays where it is under the profile: no scrolling to the top.
            <a class="friend" data-testid="friend" href=path data-noscroll="true" prop:state=FROM_LIST>
                {move || match held.get() {
                    true => Either::Left(view! {
                        <CachedProfilePicture user name=shown_name labelled=false />
                    }),
                    false => Either::Right(view! { <span class="picture-place"></span> }),
                }}
                <span class="friend-text">
                    <span class="friend-name"><bdi>{name}</bdi></span>
                    <span class="friend-headline"><bdi>{headline}</bdi></span>
                </span>
            </a>
        </li>
    }
}
