//! What the server says, as far as recordings tell.

use std::{collections::BTreeMap, time::Duration};

use miniature_api::{
    Account, BatchEntry, BatchUser, Change, Feed, FriendsPage, Hint, ImageId, Lineage, NotFound,
    Profile, Record, Size, UserId,
};

use super::{Handle, When, latest};
use crate::cache::{
    core::{Checked, Fetched, FriendsReply, Refusal, Reply, Request},
    document::Body,
    entry::{Bytes, CheckedRecord},
    key::RenditionKey,
};

/// What a picture of an unknown length takes, in bytes a pixel of its edge.
const USUAL_BYTES: usize = 20;

/// One thing that changes, in the order in which it did.
type Timeline<T> = Vec<(When, T)>;

/// A page of friends, and its ETag.
type TaggedPage = (FriendsPage, Option<Box<str>>);

/// What may fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pictures,
    Rendition,
    Document,
    Session,
}

impl Kind {
    fn of(request: &Request) -> Self {
        match request {
            Request::Pictures { .. } => Self::Pictures,
            Request::Rendition { .. } => Self::Rendition,
            Request::Friends { .. } | Request::Feed(_) | Request::Profile(_) => Self::Document,
            Request::Session | Request::SignOut(_) => Self::Session,
        }
    }
}

/// What the server says, by time. Between two observations the earlier one holds; before the first, the first.
#[derive(Debug)]
pub(super) struct Server<B> {
    of_length: fn(usize) -> B,
    account: Option<UserId>,
    /// None: no such user.
    truth: BTreeMap<UserId, Timeline<Option<Record>>>,
    /// What layers say of users of whom the server has said nothing.
    told_by_layers: BTreeMap<UserId, CheckedRecord>,
    lengths: BTreeMap<RenditionKey, usize>,
    /// The mean of all that are known, by size.
    usual_lengths: BTreeMap<Size, usize>,
    /// For each size whose bytes come from a store.
    hints: BTreeMap<Size, Hint>,
    friends: BTreeMap<Option<Box<str>>, Timeline<TaggedPage>>,
    feeds: BTreeMap<Option<Box<str>>, Timeline<Feed>>,
    profiles: BTreeMap<UserId, Timeline<Option<Profile>>>,
    sessions: Timeline<Option<Account>>,
    lineages: Timeline<Lineage>,
    events: Timeline<Option<Box<str>>>,
    /// Why it did not answer a kind of request; none: it did.
    refusals: BTreeMap<Kind, Timeline<Option<Refusal>>>,
}

impl<B: Handle> Server<B> {
    pub(super) fn new() -> Self {
        Self {
            of_length: B::of_length,
            account: None,
            truth: BTreeMap::new(),
            told_by_layers: BTreeMap::new(),
            lengths: BTreeMap::new(),
            usual_lengths: BTreeMap::new(),
            hints: BTreeMap::new(),
            friends: BTreeMap::new(),
            feeds: BTreeMap::new(),
            profiles: BTreeMap::new(),
            sessions: Vec::new(),
            lineages: Vec::new(),
            events: Vec::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// A layer holds this.
    pub(super) fn learn_stored(&mut self, checked: &CheckedRecord) {
        let user = &checked.record.user_id;
        let known = self.told_by_layers.get(user);
        if known.is_none_or(|known| known.version() < checked.version()) {
            self.told_by_layers.insert(user.clone(), checked.clone());
        }
    }

    pub(super) fn learn_length(&mut self, key: RenditionKey, length: usize) {
        self.lengths.insert(key, length);
    }

    /// This came to be so at `when`.
    pub(super) fn learn_change(&mut self, change: &Change, when: When) {
        match change {
            Change::Picture(record) => self.learn_record(record, when, true),
            Change::Profile(profile) => self.learn_profile(profile, when),
            Change::Post(_) => {}
        }
    }

    /// This is so at `when`: it came to be so just then, or nobody knows since when it is.
    pub(super) fn learn_record(&mut self, record: &Record, when: When, just_then: bool) {
        let user = &record.user_id;
        let before = self.told_by_layers.get(user).map(|known| known.record.clone());
        let truth = self.truth.entry(user.clone()).or_default();
        if let Some(before) = before.filter(|_| just_then && truth.is_empty()) {
            truth.push((When::BEGIN, Some(before)));
        }
        truth.push((when, Some(record.clone())));
    }

    pub(super) fn learn_profile(&mut self, profile: &Profile, when: When) {
        self.learn_record(&profile.picture, when, false);
        let known = self.profiles.entry(profile.user_id.clone()).or_default();
        known.push((when, Some(profile.clone())));
    }

    /// A document as a layer keeps it.
    pub(super) fn learn_document(
        &mut self,
        document: &crate::cache::document::Document,
        when: When,
    ) {
        use crate::cache::document::DocumentKey;
        match (&document.key, &document.body) {
            (DocumentKey::Friends(cursor), Body::Friends(page)) => {
                let known = self.friends.entry(cursor.clone()).or_default();
                known.push((when, (FriendsPage::clone(page), document.etag.clone())));
            }
            (DocumentKey::Feed(before), Body::Feed(feed)) => {
                let known = self.feeds.entry(before.clone()).or_default();
                known.push((when, Feed::clone(feed)));
            }
            (DocumentKey::Profile(user), Body::Profile(profile)) => {
                let known = self.profiles.entry(user.clone()).or_default();
                known.push((when, Some(profile.clone())));
            }
            _ => {}
        }
    }

    /// This was answered to what was asked at `when`.
    pub(super) fn learn<C: Bytes>(&mut self, request: &Request, fetched: &Fetched<C>, when: When) {
        let is_ours = !matches!(request, Request::Rendition { .. });
        if is_ours {
            self.lineages.extend(fetched.lineage.map(|lineage| (when, lineage)));
            self.events.push((when, fetched.event.clone()));
            self.account = fetched.account.clone().or(self.account.take());
        }
        let refusal = fetched.outcome.as_ref().err().copied();
        self.refusals.entry(Kind::of(request)).or_default().push((when, refusal));
        if let Ok(reply) = &fetched.outcome {
            self.learn_reply(request, reply, when);
        }
    }

    /// The same of a part of an answer.
    pub(super) fn learn_reply<C: Bytes>(
        &mut self,
        request: &Request,
        reply: &Reply<C>,
        when: When,
    ) {
        match (request, reply) {
            (Request::Pictures { size, .. }, Reply::Pictures { entries, renditions }) => {
                entries.iter().for_each(|entry| self.learn_entry(entry, *size, when));
                self.learn_renditions(renditions, *size);
            }
            (
                Request::Friends { cursor, pictures, .. },
                Reply::Friends(Some(FriendsReply { page, etag, renditions, .. })),
            ) => {
                page.friends.iter().for_each(|f| self.learn_record(&f.picture, when, false));
                let known = self.friends.entry(cursor.clone()).or_default();
                known.push((when, (page.clone(), etag.clone())));
                if let Some(size) = pictures {
                    self.learn_renditions(renditions, *size);
                }
            }
            (Request::Friends { pictures: Some(size), .. }, Reply::Pictures { renditions, .. }) => {
                self.learn_renditions(renditions, *size);
            }
            (Request::Rendition { key, .. }, Reply::Rendition((image, Ok(content))))
                if key.image == *image =>
            {
                self.learn_length(*key, content.byte_len());
            }
            (Request::Feed(before), Reply::Feed(feed)) => {
                feed.posts.iter().for_each(|p| self.learn_record(&p.author.picture, when, false));
                self.feeds.entry(before.clone()).or_default().push((when, feed.clone()));
            }
            (Request::Profile(user), Reply::Profile(profile)) => match profile {
                Some(profile) => self.learn_profile(profile, when),
                None => self.profiles.entry(user.clone()).or_default().push((when, None)),
            },
            (Request::Session, Reply::Session(account)) => {
                self.sessions.push((when, account.clone()));
            }
            _ => {}
        }
    }

    fn learn_entry(&mut self, entry: &BatchEntry, size: Size, when: When) {
        match entry {
            BatchEntry::Found { record, hint } => {
                self.learn_record(record, when, false);
                if let Some(hint) = hint {
                    self.hints.insert(size, Hint::clone(hint));
                }
            }
            BatchEntry::Missing { user_id, .. } => {
                self.truth.entry(user_id.clone()).or_default().push((when, None));
            }
        }
    }

    fn learn_renditions<C: Bytes>(&mut self, renditions: &[Checked<C>], size: Size) {
        for (image, content) in renditions {
            if let Ok(content) = content {
                self.learn_length(RenditionKey { image: *image, size }, content.byte_len());
            }
        }
    }

    /// Has each timeline in order.
    pub(super) fn settle(&mut self) {
        self.truth.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        self.friends.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        self.feeds.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        self.profiles.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        self.sessions.sort_by_key(|(when, _)| *when);
        self.lineages.sort_by_key(|(when, _)| *when);
        self.events.sort_by_key(|(when, _)| *when);
        self.refusals.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        for size in Size::ALL {
            let of_size = self.lengths.iter().filter(|(key, _)| key.size == size);
            let (count, sum) =
                of_size.fold((0, 0_usize), |(n, sum), (_, length)| (n + 1, sum + length));
            let usual = sum.checked_div(count).unwrap_or(size.px() as usize * USUAL_BYTES);
            self.usual_lengths.insert(size, usual);
        }
    }

    /// The handle to a picture's bytes.
    pub(super) fn content(&self, key: RenditionKey) -> B {
        (self.of_length)(self.length(key))
    }

    fn length(&self, key: RenditionKey) -> usize {
        let known = self.lengths.get(&key).or_else(|| self.usual_lengths.get(&key.size));
        known.copied().unwrap_or_default()
    }

    /// What it says to what is asked at `when`, of `asked` on the running clock where that was before.
    pub(super) fn answer(
        &self,
        request: &Request,
        held: Option<Lineage>,
        when: When,
        asked: Option<Duration>,
    ) -> Fetched<B> {
        let is_ours = !matches!(request, Request::Rendition { .. });
        let lineage = latest(&self.lineages, when).copied().filter(|_| is_ours);
        let account = self.account.clone().filter(|_| is_ours);
        let event = latest(&self.events, when).cloned().flatten().filter(|_| is_ours);
        let refusals = self.refusals.get(&Kind::of(request));
        let refusal = refusals.and_then(|known| latest(known, when)).copied().flatten();
        let outcome = match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(self.reply(request, held.is_some() && held == lineage, when)),
        };
        Fetched { lineage, account, asked, event, outcome }
    }

    fn reply(&self, request: &Request, is_known: bool, when: When) -> Reply<B> {
        match request {
            Request::Pictures { size, users } => self.pictures(*size, users, is_known, when),
            Request::Rendition { key, .. } => Reply::Rendition((key.image, Ok(self.content(*key)))),
            Request::Friends { cursor, pictures, etag } => Reply::Friends(self.page(
                cursor.as_deref(),
                *pictures,
                etag.as_deref().filter(|_| is_known),
                when,
            )),
            Request::Feed(before) => {
                let feed = self.feeds.get(before).and_then(|known| latest(known, when));
                Reply::Feed(feed.cloned().unwrap_or(Feed { posts: Vec::new(), next: None }))
            }
            Request::Profile(user) => {
                let known = self.profiles.get(user).and_then(|known| latest(known, when));
                Reply::Profile(known.cloned().flatten())
            }
            Request::Session => Reply::Session(latest(&self.sessions, when).cloned().flatten()),
            Request::SignOut(_) => Reply::SignedOut,
        }
    }

    fn record(&self, user: &UserId, when: When) -> Option<Record> {
        match self.truth.get(user).and_then(|known| latest(known, when)) {
            Some(record) => record.clone(),
            None => self.told_by_layers.get(user).map(|known| known.record.clone()),
        }
    }

    fn pictures(&self, size: Size, users: &[BatchUser], is_known: bool, when: When) -> Reply<B> {
        let (mut entries, mut renditions) = (Vec::new(), Vec::new());
        for asked in users {
            let Some(record) = self.record(&asked.user_id, when) else {
                let (user_id, error) = (asked.user_id.clone(), NotFound::NotFound);
                entries.push(BatchEntry::Missing { user_id, error });
                continue;
            };
            let is_newer =
                asked.held.filter(|_| is_known).is_none_or(|held| held < record.revision);
            let image = record.image_id.filter(|_| is_newer);
            let hint = image.and_then(|image| self.hint(RenditionKey { image, size }));
            if let (Some(image), None) = (image, &hint) {
                renditions.push(self.sent(image, size));
            }
            entries.push(BatchEntry::Found { record, hint: hint.map(Box::new) });
        }
        Reply::Pictures { entries, renditions }
    }

    fn hint(&self, key: RenditionKey) -> Option<Hint> {
        let hint = self.hints.get(&key.size)?;
        Some(Hint { bytes: self.length(key) as u64, ..hint.clone() })
    }

    fn sent(&self, image: ImageId, size: Size) -> Checked<B> {
        (image, Ok(self.content(RenditionKey { image, size })))
    }

    /// None: not modified. A page that nobody has seen is empty.
    fn page(
        &self,
        cursor: Option<&str>,
        pictures: Option<Size>,
        held: Option<&str>,
        when: When,
    ) -> Option<FriendsReply<B>> {
        let known = self.friends.get(&cursor.map(Box::from)).and_then(|known| latest(known, when));
        let (page, etag) = known
            .cloned()
            .unwrap_or_else(|| (FriendsPage { friends: Vec::new(), next: None }, None));
        if held.is_some() && held == etag.as_deref() {
            return None;
        }
        let images = page.friends.iter().filter_map(|friend| friend.picture.image_id);
        let renditions = pictures
            .map_or(Vec::new(), |size| images.map(|image| self.sent(image, size)).collect());
        Some(FriendsReply { page, etag, pictures, renditions })
    }
}
