//! The feed: what friends write, and a form to write oneself.

mod ago;
mod ahead;
mod draft;
mod end;
mod form;
mod post;

use crate::store::{Draft, use_feed};
pub(super) use ahead::feed_ahead;
use draft::DraftCard;
use end::FeedEnd;
use form::PostForm;
use leptos::{either::Either, prelude::*};
use miniature_api::{Post, PostId, UserId};
use post::PostCard;

/// The page, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn feed_page(account: UserId) -> AnyView {
    view! { <FeedPage account /> }.into_any()
}

/// What stands in the list. One list for both: a list of each kind would weigh as much again.
enum Entry {
    Draft(Draft),
    Post(Post),
}

impl Entry {
    /// It is drawn anew where this differs: by the name of a post's author, or whether a draft has failed.
    fn key(&self) -> (PostId, Result<String, bool>) {
        match self {
            Self::Draft(draft) => (draft.id.clone(), Err(draft.failure.is_some())),
            Self::Post(post) => (post.id.clone(), Ok(post.author.name.clone())),
        }
    }
}

#[component]
fn FeedPage(account: UserId) -> impl IntoView {
    let feed = use_feed(&account);
    let view = feed.view();
    let drafts = feed.drafts();
    let entries = move || {
        let view = view.read();
        let posts = view.posts.iter().filter_map(|row| row.post().cloned());
        drafts.get().into_iter().map(Entry::Draft).chain(posts.map(Entry::Post)).collect::<Vec<_>>()
    };
    let stored = StoredValue::new(feed.clone());
    let card = move |entry| match entry {
        Entry::Draft(draft) => {
            Either::Left(view! { <DraftCard feed=stored account=account.clone() draft /> })
        }
        Entry::Post(post) => Either::Right(view! { <PostCard post /> }),
    };
    view! {
        <h1>"Feed"</h1>
        <PostForm feed=feed.clone() />
        <NewPosts feed=feed.clone() />
        <ol class="feed" data-testid="feed">
            <For each=entries key=Entry::key children=card />
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
