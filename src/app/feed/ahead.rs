//! The feed before anybody opens it.

use crate::{
    store::{LIST_PICTURE_PX, is_feed_held, react, use_feed, use_picture_cache},
    ui::rendition_size_untracked,
};
use leptos::prelude::*;
use miniature_api::UserId;

/// Loads the newest posts and, once they are there, the pictures of those who wrote them, unless there are
/// some from an earlier visit. They are kept up to date while the reactive owner lives.
pub(in crate::app) fn feed_ahead() {
    let cache = use_picture_cache().filter(|_| !is_feed_held());
    let Some(cache) = cache else { return };
    let view = use_feed(cache.account()).view();
    let mut cache = Some(cache);
    react(move || {
        let view = view.read();
        let posts = view.posts.iter().filter_map(|row| row.post());
        let authors: Vec<UserId> = posts.map(|post| post.author.user_id.clone()).collect();
        if !authors.is_empty()
            && let Some(cache) = cache.take()
        {
            cache.prefetch(&authors, rendition_size_untracked(LIST_PICTURE_PX));
        }
    });
}
