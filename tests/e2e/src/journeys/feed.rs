//! The feed.

use super::sign_in;
use crate::{
    gate::{Fault, FaultKind},
    page::hook,
    visit::Visit,
};
use anyhow::{Result, ensure};
use miniature_e2e::people::write_post;
use std::time::Duration;

/// A friend of the demo account.
const FRIEND: &str = "grace";
/// In which what has arrived is stored.
const WRITTEN: Duration = Duration::from_secs(2);

/// The feed with its pictures, one request for all of them; again at once after a reload.
pub(super) async fn read(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let before = visit.passages().len();
    visit.click("a[href='/feed']").await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    let passages = visit.passages();
    let asked: Vec<&str> = passages[before..].iter().map(|p| p.target.as_str()).collect();
    let count = |start: &str| asked.iter().filter(|target| target.starts_with(start)).count();
    // The second page, too, is near enough to be read soon.
    ensure!(count("/api/posts") <= 2 && count("/api/images") <= 2, "{asked:?}");

    visit.gate.quiet(WRITTEN).await;
    visit.set_faults(&[Fault { path: "/api/", kind: FaultKind::Held }]);
    visit.reload().await?;
    visit.wait("the same without the server", POSTS_COMPLETE).await
}

/// Older posts come as one scrolls.
pub(super) async fn scrolled(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.click("a[href='/feed']").await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    let more = "document.scrollingElement.scrollTo(0, 1e6);
         return document.querySelectorAll('[data-testid=post]').length > 25";
    visit.wait("older posts", more).await
}

/// A friend writes something: a button says so, nothing moves, and a click shows it.
pub(super) async fn announced(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.click("a[href='/feed']").await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    let first: String = visit.eval(FIRST_TEXT).await?;
    for at in 0..3 {
        write_post(visit.server().address(), FRIEND, &format!("News {at}")).await?;
    }
    let says = format!(
        "return document.querySelector({:?})?.textContent === '3 new posts'",
        hook("new-posts")
    );
    visit.wait("3 new posts", &says).await?;
    ensure!(visit.eval::<String>(FIRST_TEXT).await? == first, "the feed jumped");

    visit.click(&hook("new-posts")).await?;

    visit.wait("the newest first", &format!("{FIRST_TEXT} === 'News 2'")).await?;
    visit.wait_gone(&hook("new-posts")).await
}

/// What one writes is there at once; if it is refused, it can be sent again, and is there once.
pub(super) async fn written(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.click("a[href='/feed']").await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    let text = "Written in a journey";
    visit.type_into(&hook("post-text"), text).await?;
    visit.set_faults(&[Fault { path: "/api/posts", kind: FaultKind::Unavailable(1) }]);
    visit.click(&hook("post-submit")).await?;
    visit.wait("Send again", SEND_AGAIN).await?;
    visit.set_faults(&[]);
    visit.click("button[data-marked]").await?;
    let there = format!(
        "const posts = [...document.querySelectorAll('[data-testid=post]')];
         const ours = posts.filter((post) => post.textContent.includes({text:?}));
         return ours.length === 1 && !ours[0].dataset.state"
    );
    visit.wait("the post, once", &there).await?;
    visit.reload().await?;
    visit.wait("the post after a reload, once", &there).await
}

const FIRST_TEXT: &str =
    "return document.querySelector('[data-testid=post] .post-text').textContent";

const SEND_AGAIN: &str = "
    const button = [...document.querySelectorAll('[data-testid=post] button')]
        .find((button) => button.textContent.trim() === 'Send again');
    if (button) button.dataset.marked = '';
    return !!button";

pub(super) const POSTS_COMPLETE: &str = "
    const posts = [...document.querySelectorAll('[data-testid=feed] [data-testid=post]')];
    return posts.length >= 10 && posts.every((post) => window.__isComplete(post.querySelector('.picture')))";
