//! What the core is told, with lengths in the place of bytes.

use miniature_api::BatchEntry;
use serde::{Deserialize, Serialize};

use crate::cache::{
    core::{Answer, Checked, Event, Fetched, FriendsReply, Reply},
    entry::{Bytes, Found, Handle, Rendition},
};

/// The length of an encoded image, in the place of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hollow(pub usize);

impl Bytes for Hollow {
    fn byte_len(&self) -> usize {
        self.0
    }
}

impl Handle for Hollow {
    fn of_length(length: usize) -> Self {
        Self(length)
    }
}

/// The same event without bytes.
pub fn hollow<B: Bytes>(event: &Event<B>) -> Event<Hollow> {
    with_bytes(event, &|content| Hollow(content.byte_len()))
}

/// The same event with other handles to bytes.
pub fn with_bytes<A, B>(event: &Event<A>, of: &impl Fn(&A) -> B) -> Event<B> {
    match event {
        Event::Proposed(rendition) => {
            Event::Proposed(rendition.as_ref().map(|rendition| other_rendition(rendition, of)))
        }
        Event::Arriving(id, fetched) => Event::Arriving(*id, other_fetched(fetched, of)),
        Event::Answer(id, answer) => Event::Answer(*id, other_answer(answer, of)),
        Event::Left(viewer) => Event::Left(*viewer),
        Event::ViewersHidden(viewers) => Event::ViewersHidden(viewers.clone()),
        Event::ViewersShown(viewers) => Event::ViewersShown(viewers.clone()),
        Event::Prefetch(users, size) => Event::Prefetch(users.clone(), *size),
        Event::Renew { users, woken } => Event::Renew { users: users.clone(), woken: *woken },
        Event::Invalidate(user) => Event::Invalidate(user.clone()),
        Event::Retry => Event::Retry,
        Event::Broken(user, key) => Event::Broken(user.clone(), *key),
        Event::WritesWait(wait) => Event::WritesWait(*wait),
        Event::Painted => Event::Painted,
        Event::FriendsViewed(view) => Event::FriendsViewed(view.clone()),
        Event::FeedViewed(rows) => Event::FeedViewed(rows.clone()),
        Event::FeedHidden => Event::FeedHidden,
        Event::NewestPosts => Event::NewestPosts,
        Event::Posted { account, post, lineage } => {
            Event::Posted { account: account.clone(), post: post.clone(), lineage: *lineage }
        }
        Event::ProfileViewed(user) => Event::ProfileViewed(user.clone()),
        Event::ProfileLeft(user) => Event::ProfileLeft(user.clone()),
        Event::AskSession => Event::AskSession,
        Event::News(records, lineage) => Event::News(records.clone(), *lineage),
        Event::Clear => Event::Clear,
        Event::Session(start) => Event::Session(start.clone()),
        Event::Identity(identity) => Event::Identity(identity.clone()),
        Event::SignedIn { epoch, account, marker } => {
            Event::SignedIn { epoch: *epoch, account: account.clone(), marker: marker.clone() }
        }
        Event::SignOut => Event::SignOut,
        Event::Online(online) => Event::Online(*online),
        Event::Visible(visible) => Event::Visible(*visible),
        Event::Withdrawn => Event::Withdrawn,
        Event::Taken { account, record, lineage, sent } => Event::Taken {
            account: account.clone(),
            record: record.clone(),
            lineage: *lineage,
            sent: *sent,
        },
        Event::Described { account, profile, lineage } => Event::Described {
            account: account.clone(),
            profile: profile.clone(),
            lineage: *lineage,
        },
        Event::StorageChanged(change) => Event::StorageChanged(change.clone()),
        Event::Painting { has_locks } => Event::Painting { has_locks: *has_locks },
        Event::Frozen(frozen) => Event::Frozen(*frozen),
        Event::Locked(id) => Event::Locked(*id),
        Event::Streamed(id, account, event) => Event::Streamed(*id, account.clone(), event.clone()),
        Event::Overheard(event) => Event::Overheard(event.clone()),
        Event::LockAwaited => Event::LockAwaited,
        Event::MeasureUsage => Event::MeasureUsage,
        Event::StorageUsed { used, quota } => Event::StorageUsed { used: *used, quota: *quota },
        Event::Progressed(id, bytes) => Event::Progressed(*id, *bytes),
    }
}

/// What a layer found, without bytes.
pub fn hollow_found<B: Bytes>(found: &Found<B>) -> Found<Hollow> {
    found_with(found, &|content| Hollow(content.byte_len()))
}

/// The same with other handles to bytes.
pub fn found_with<A, B>(found: &Found<A>, of: &impl Fn(&A) -> B) -> Found<B> {
    Found {
        record: found.record.clone(),
        rendition: found.rendition.as_ref().map(|rendition| other_rendition(rendition, of)),
        used_at: found.used_at,
    }
}

fn other_rendition<A, B>(rendition: &Rendition<A>, of: &impl Fn(&A) -> B) -> Rendition<B> {
    Rendition { key: rendition.key, content: of(&rendition.content) }
}

fn other_answer<A, B>(answer: &Answer<A>, of: &impl Fn(&A) -> B) -> Answer<B> {
    match answer {
        Answer::Read(read) => Answer::Read(
            read.as_ref()
                .map(|found| found.iter().map(|found| found_with(found, of)).collect())
                .map_err(|error| *error),
        ),
        Answer::Documents(read) => Answer::Documents(read.clone()),
        Answer::Fetched(fetched) => Answer::Fetched(other_fetched(fetched, of)),
        Answer::Decoded(decodes) => Answer::Decoded(*decodes),
        Answer::Written(written) => Answer::Written(written.clone()),
        Answer::Counted(lines) => Answer::Counted(lines.clone()),
        Answer::Measured(usage) => Answer::Measured(*usage),
        Answer::Erased(erased) => Answer::Erased(*erased),
        Answer::Accounts(accounts) => Answer::Accounts(accounts.clone()),
        Answer::Unlocked { has_locks } => Answer::Unlocked { has_locks: *has_locks },
        Answer::Hushed(refusal) => Answer::Hushed(*refusal),
    }
}

fn other_fetched<A, B>(fetched: &Fetched<A>, of: &impl Fn(&A) -> B) -> Fetched<B> {
    Fetched {
        lineage: fetched.lineage,
        account: fetched.account.clone(),
        asked: fetched.asked,
        event: fetched.event.clone(),
        outcome: fetched
            .outcome
            .as_ref()
            .map(|reply| other_reply(reply, of))
            .map_err(|refusal| *refusal),
    }
}

/// The address of a store may be signed: who has it may fetch.
fn without_address(entry: &BatchEntry) -> BatchEntry {
    let mut entry = entry.clone();
    if let BatchEntry::Found { hint: Some(hint), .. } = &mut entry {
        hint.url.clear();
    }
    entry
}

fn other_reply<A, B>(reply: &Reply<A>, of: &impl Fn(&A) -> B) -> Reply<B> {
    let other =
        |(image, content): &Checked<A>| (*image, content.as_ref().map(of).map_err(|error| *error));
    match reply {
        Reply::Pictures { entries, renditions } => Reply::Pictures {
            entries: entries.iter().map(without_address).collect(),
            renditions: renditions.iter().map(other).collect(),
        },
        Reply::Rendition(checked) => Reply::Rendition(other(checked)),
        Reply::Friends(page) => Reply::Friends(page.as_ref().map(|reply| FriendsReply {
            page: reply.page.clone(),
            etag: reply.etag.clone(),
            pictures: reply.pictures,
            renditions: reply.renditions.iter().map(other).collect(),
        })),
        Reply::Feed(feed) => Reply::Feed(feed.clone()),
        Reply::Profile(profile) => Reply::Profile(profile.clone()),
        Reply::Session(account) => Reply::Session(account.clone()),
        Reply::SignedOut => Reply::SignedOut,
    }
}
