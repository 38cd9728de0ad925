//! A post.

use super::{super::place::profile_path, ago::Ago};
use crate::ui::CachedProfilePicture;
use leptos::prelude::*;
use miniature_api::Post;

#[component]
pub(super) fn PostCard(post: Post) -> impl IntoView {
    let Post { author, text, created_at, .. } = post;
    let path = profile_path(&author.user_id);
    let (user, name) = (Signal::stored(author.user_id), Signal::stored(author.name.clone()));
    view! {
        <li class="post" data-testid="post">
            <CachedProfilePicture user name labelled=false />
            <div class="post-body">
                <p class="post-head">
                    <a class="post-author" href=path><bdi>{author.name}</bdi></a>
                    <Ago at=created_at />
                </p>
                <p class="post-text" dir="auto">{text}</p>
            </div>
        </li>
    }
}
