//! The feed: shown from LocalStorage or IndexedDB at once, and what one writes oneself.

use std::ops::Range;

use leptos::prelude::*;
use miniature_api::{NewPost, Post, PostId, UserId};

use super::{driver::driver, own::ChangeError, react::react};
use crate::{
    browser::{clock, origin::Changed, random, schedule},
    cache::core::{Core, Event, FeedView},
};

/// A post that the server has not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Names the post that it is to become.
    pub id: PostId,
    /// What it says.
    pub text: String,
    /// Why it was not taken; none while it is on its way.
    pub failure: Option<ChangeError>,
}

/// The feed of the signed-in account. Clones share it.
#[derive(Clone, Debug)]
pub struct FeedList {
    account: UserId,
    view: ArcRwSignal<FeedView>,
    drafts: ArcRwSignal<Vec<Draft>>,
}

/// Opens the feed of the account whose cache was provided, for as long as the reactive owner lives. The
/// page that LocalStorage holds is there when this returns.
pub fn use_feed(account: &UserId) -> FeedList {
    let feed = FeedList {
        account: account.clone(),
        view: ArcRwSignal::new(driver().read(Core::feed)),
        drafts: ArcRwSignal::default(),
    };
    feed.look_at(0..1);
    let view = feed.view.clone();
    react(move || {
        let driver = driver();
        driver.signals.feed.track();
        view.set(driver.read(Core::feed));
    });
    on_cleanup(|| driver().handle(Event::FeedViewed(None)));
    feed
}

/// Whether there are posts of the account.
pub(crate) fn is_feed_held() -> bool {
    driver().read(|core| !core.feed().posts.is_empty())
}

impl FeedList {
    /// What is shown, and how many posts wait.
    pub fn view(&self) -> ArcRwSignal<FeedView> {
        self.view.clone()
    }

    /// What was written here and not taken yet, the newest first.
    pub fn drafts(&self) -> ArcRwSignal<Vec<Draft>> {
        self.drafts.clone()
    }

    /// Says which posts are in view or near it, by index. A range that reaches beyond those that there
    /// are asks for more.
    pub fn look_at(&self, rows: Range<usize>) {
        driver().handle(Event::FeedViewed(Some(rows)));
    }

    /// Says that the feed's page is hidden.
    pub fn look_away(&self) {
        driver().handle(Event::FeedHidden);
    }

    /// Shows the posts that wait.
    pub fn show_newest(&self) {
        driver().handle(Event::NewestPosts);
    }

    /// Asks for what could not be had.
    pub fn retry(&self) {
        driver().handle(Event::Retry);
    }

    /// Writes a post, which is shown from now on.
    pub fn write(&self, text: String) {
        let Some(id) = made_up() else { return };
        let draft = Draft { id, text, failure: None };
        self.drafts.update(|drafts| drafts.insert(0, draft.clone()));
        self.send(draft);
    }

    /// Sends what was not taken once more, under the same id: there is one post, even if it was taken.
    pub fn send_again(&self, id: &PostId) {
        let again = self.drafts.try_update(|drafts| {
            let draft = drafts.iter_mut().find(|draft| draft.id == *id)?;
            draft.failure = None;
            Some(draft.clone())
        });
        again.flatten().into_iter().for_each(|draft| self.send(draft));
    }

    /// Gives up what was not taken.
    pub fn discard(&self, id: &PostId) {
        self.drafts.update(|drafts| drafts.retain(|draft| draft.id != *id));
    }

    fn send(&self, Draft { id, text, .. }: Draft) {
        let feed = self.clone();
        schedule::spawn(async move {
            let driver = driver();
            let silence = driver.read(|core| core.policy().silence);
            let post = NewPost { id: Some(id.clone()), text };
            let answer = driver.api.post::<Post>(&feed.account, &post, silence).await;
            match answer {
                Ok(Changed { lineage, now: post }) => {
                    let account = feed.account.clone();
                    driver.handle(Event::Posted { account, post, lineage });
                    feed.discard(&id);
                }
                Err(error) => {
                    if error == ChangeError::SignedOut {
                        driver.handle(Event::AskSession);
                    }
                    feed.drafts.update(|drafts| {
                        let draft = drafts.iter_mut().find(|draft| draft.id == id);
                        draft.into_iter().for_each(|draft| draft.failure = Some(error.clone()));
                    });
                }
            }
        });
    }
}

/// A name for a post that the server does not know yet.
///
/// # Source
///
/// RFC 9562, section 5.7: a UUID of version 7 begins with the milliseconds since 1970.
fn made_up() -> Option<PostId> {
    let (millis, random) = (clock::now().wall.0, random::seed());
    let (high, low) = (millis >> 16 & 0xffff_ffff, millis & 0xffff);
    let (version, variant) = (random >> 52, random >> 38 & 0x3fff | 0x8000);
    let rest = random::seed() & 0xffff_ffff_ffff;
    format!("{high:08x}-{low:04x}-7{version:03x}-{variant:04x}-{rest:012x}").parse().ok()
}
