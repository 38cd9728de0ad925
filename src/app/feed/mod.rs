//! The feed: what friends write, and a form to write oneself.

mod ago;
mod draft;
mod end;
mod form;
mod post;

use crate::store::use_feed;
use draft::Drafts;
use end::FeedEnd;
use form::PostForm;
use leptos::prelude::*;
use miniature_api::UserId;
use post::PostCard;

/// The page, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn feed_page(account: UserId) -> AnyView {
    view! { <FeedPage account /> }.into_any()
}

#[component]
fn FeedPage(account: UserId) -> impl IntoView {
    let feed = use_feed(&account);
    let view = feed.view();
    let posts =
        move || view.read().posts.iter().filter_map(|row| row.post().cloned()).collect::<Vec<_>>();
    view! {
        <h1>"Feed"</h1>
        <PostForm feed=feed.clone() />
        <NewPosts feed=feed.clone() />
        <ol class="feed" data-testid="feed">
            <Drafts feed=feed.clone() account />
            <For each=posts key=|post| (post.id.clone(), post.author.name.clone()) let:post>
                <PostCard post />
            </For>
        </ol>
        <FeedEnd feed />
    }
}

/// Says how many posts wait, and shows them.
#[component]
fn NewPosts(feed: crate::store::FeedList) -> impl IntoView {
    let view = feed.view();
    let new = Memo::new(move |_| view.read().new);
    let feed = StoredValue::new(feed);
    let show = move |_| {
        feed.with_value(crate::store::FeedList::show_newest);
        window().scroll_to_with_x_and_y(0.0, 0.0);
    };
    view! {
        // Always there, so that screen readers hear it fill.
        <div class="new-posts" role="status">
            {move || match new.get() {
                0 => None,
                count => Some(view! {
                    <button type="button" class="button" data-testid="new-posts" on:click=show>
                        {if count == 1 { "1 new post".to_owned() } else { format!("{count} new posts") }}
                    </button>
                }),
            }}
        </div>
    }
}
