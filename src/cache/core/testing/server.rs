//! The truth, and how it is told.

use std::{collections::BTreeMap, time::Duration};

use miniature_api::{
    Author, BatchEntry, BatchUser, Change, Feed, Friend, FriendsPage, ImageId, Lineage, NotFound,
    Post, Profile, Record, Revision, Size, UserId,
};

use super::{
    Blob, Store, account, account_of, image_of,
    sessions::{Sessions, Token},
};
use crate::cache::{
    core::{Checked, Fetched, FriendsReply, Refusal, Reply, Request},
    entry::Version,
    layer::OriginError,
    raster::RasterError,
};

/// How the server answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cache::core) enum Weather {
    #[default]
    Fine,
    Unreachable,
    /// Never answers.
    Silent,
    Status(u16),
    /// 503, and when to come back.
    Busy(u64),
    /// Something that is no answer of ours.
    NoLineage,
    /// Bytes that are no picture.
    ErrorPages,
    /// Containers that are whole, with pixels that do not decode.
    Undecodable,
    /// Records of pictures, without the pictures.
    NoBytes,
}

/// Of every picture.
const THUMBHASH: &str = "3OcRJYB4d3h/iIeHeEh3eIhw+j2n";

/// The truth.
#[derive(Debug)]
pub(in crate::cache::core) struct Server {
    pub(in crate::cache::core) truth: BTreeMap<UserId, Record>,
    /// Friends by their names, which order the list.
    pub(in crate::cache::core) friends: BTreeMap<String, UserId>,
    pub(in crate::cache::core) sessions: Sessions,
    pub(in crate::cache::core) weather: Weather,
    /// For how many seconds a hint is good, where the store has the bytes of what is larger than a
    /// preview; none where they come with the records.
    pub(in crate::cache::core) hints_last: Option<u64>,
    pub(in crate::cache::core) store: Store,
    /// The time, for what ends by itself.
    pub(super) running: Duration,
    pub(in crate::cache::core) requests: Vec<Request>,
    pub(in crate::cache::core) renditions_sent: usize,
    pub(in crate::cache::core) page_size: usize,
    /// What happened, and in which history; and how many of the last are told again.
    pub(super) events: Vec<(u8, Change)>,
    posts: Vec<Post>,
    /// How many posts were ever written: no id is given twice.
    written: usize,
    pub(in crate::cache::core) events_kept: usize,
    /// Whether answers name the last event.
    pub(in crate::cache::core) names_events: bool,
    headlines: BTreeMap<UserId, String>,
    history: u8,
    /// The pictures that were taken away.
    removals: Vec<(UserId, Version)>,
    /// The last revision of each user, deleted or not.
    revisions: BTreeMap<(u8, UserId), u32>,
    backup: Option<Backup>,
}

/// What a backup brings back.
#[derive(Clone, Debug)]
struct Backup {
    truth: BTreeMap<UserId, Record>,
    friends: BTreeMap<String, UserId>,
    posts: Vec<Post>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            truth: BTreeMap::new(),
            friends: BTreeMap::new(),
            sessions: Sessions::default(),
            weather: Weather::Fine,
            hints_last: None,
            store: Store::Fine,
            running: Duration::ZERO,
            requests: Vec::new(),
            renditions_sent: 0,
            page_size: 50,
            events: Vec::new(),
            posts: Vec::new(),
            written: 0,
            events_kept: 1_000,
            names_events: true,
            headlines: BTreeMap::new(),
            history: 0,
            removals: Vec::new(),
            revisions: BTreeMap::new(),
            backup: None,
        }
    }
}

pub(super) fn lineage(history: u8) -> Lineage {
    format!("17{history:03}00000000-000000000000000a").parse().unwrap()
}

impl Server {
    pub(in crate::cache::core) fn lineage(&self) -> Lineage {
        lineage(self.history)
    }

    /// Which history this is.
    pub(in crate::cache::core) fn history(&self) -> u8 {
        self.history
    }

    /// Gives a user their next picture, or takes it away.
    pub(in crate::cache::core) fn change(&mut self, user: &UserId, picture: bool) {
        let last = self.revisions.entry((self.history, user.clone())).or_default();
        let held = self.truth.get(user).map_or(0, |record| record.revision.0);
        let revision = held.max(*last) + 1;
        *last = revision;
        if !picture {
            let version = Version { lineage: Some(self.lineage()), revision: Revision(revision) };
            self.removals.push((user.clone(), version));
        }
        let image_id = picture.then(|| image_of(user, self.history, revision));
        let user_id = user.clone();
        let thumbhash = picture.then(|| THUMBHASH.into());
        let record = Record { user_id, revision: Revision(revision), image_id, thumbhash };
        self.truth.insert(user.clone(), record.clone());
        self.tell(Change::Picture(record));
    }

    /// Whether a user's picture was taken away after the one of this version, and by that one.
    pub(in crate::cache::core) fn was_removed(
        &self,
        user: &UserId,
        after: Option<Version>,
        by: Option<Version>,
    ) -> bool {
        let is_between = |version: Version| after < Some(version) && Some(version) <= by;
        self.removals.iter().any(|(of, version)| of == user && is_between(*version))
    }

    /// A user says something else of themself.
    pub(in crate::cache::core) fn describe(&mut self, user: &UserId, headline: &str) {
        self.headlines.insert(user.clone(), headline.to_owned());
        if let Some(profile) = self.profile(user) {
            self.tell(Change::Profile(profile));
        }
    }

    fn headline(&self, user: &UserId) -> String {
        self.headlines.get(user).cloned().unwrap_or_default()
    }

    pub(in crate::cache::core) fn delete(&mut self, user: &UserId) {
        self.truth.remove(user);
        self.friends.retain(|_, friend| friend != user);
    }

    pub(in crate::cache::core) fn back_up(&mut self) {
        let (truth, friends) = (self.truth.clone(), self.friends.clone());
        self.backup = Some(Backup { truth, friends, posts: self.posts.clone() });
    }

    /// Puts the backup back, and begins another history; without one, only the latter.
    pub(in crate::cache::core) fn restore(&mut self) {
        if let Some(Backup { truth, friends, posts }) = self.backup.clone() {
            (self.truth, self.friends, self.posts) = (truth, friends, posts);
        }
        self.history += 1;
        // A revision that the backup has is given to no other picture of this history.
        let held = self.truth.iter().map(|(user, record)| (user.clone(), record.revision.0));
        let held = held.map(|(user, revision)| ((self.history, user), revision));
        self.revisions.extend(held);
    }

    pub(in crate::cache::core) fn befriend(&mut self, user: &UserId, name: &str) {
        self.friends.retain(|_, friend| friend != user);
        self.friends.insert(name.to_owned(), user.clone());
    }

    pub(in crate::cache::core) fn list(&self) -> Vec<UserId> {
        self.list_of(&account())
    }

    pub(in crate::cache::core) fn list_of(&self, asks: &UserId) -> Vec<UserId> {
        let friends = self.friends_of(asks).into_values();
        friends.filter(|user| self.truth.contains_key(user)).collect()
    }

    /// What is answered now; none: nothing, ever.
    pub(in crate::cache::core) fn answer(
        &mut self,
        request: &Request,
        held: Option<Lineage>,
        cookie: Option<Token>,
    ) -> Option<Fetched<Blob>> {
        if let Request::Rendition { url, .. } = request {
            return self.stored(url);
        }
        let asks = self.sessions.user_of(cookie).cloned();
        let refusal = |error, retry_after| {
            let (lineage, account) = (Some(lineage(self.history)), asks.clone());
            let outcome = Err(Refusal { error, retry_after });
            Some(Fetched { lineage, account, asked: None, event: None, outcome })
        };
        match self.weather {
            Weather::Silent => return None,
            Weather::Unreachable => return refusal(OriginError::Unreachable, None),
            Weather::Status(status) => return refusal(OriginError::Status(status), None),
            Weather::Busy(seconds) => {
                let after = std::time::Duration::from_secs(seconds);
                return refusal(OriginError::Status(503), Some(after));
            }
            _ => {}
        }
        let Some(asks) = asks else {
            let outcome = match request {
                Request::Session => Ok(Reply::Session(None)),
                Request::SignOut(_) => Ok(Reply::SignedOut),
                _ => Err(OriginError::SignedOut.into()),
            };
            let (lineage, account) = (None, None);
            return Some(Fetched { lineage, account, asked: None, event: None, outcome });
        };
        let known = held == Some(self.lineage());
        let reply = match request {
            Request::Pictures { size, users } => self.pictures(*size, users, known),
            Request::Friends { cursor, pictures, etag } => {
                self.page(&asks, cursor.as_deref(), *pictures, etag.as_deref().filter(|_| known))
            }
            Request::Feed(before) => Reply::Feed(self.feed(before.as_deref())),
            Request::Profile(user) => Reply::Profile(self.profile(user)),
            Request::Rendition { .. } => return None,
            Request::Session => Reply::Session(Some(account_of(&asks))),
            Request::SignOut(marker) => {
                self.sessions.end(cookie, marker);
                Reply::SignedOut
            }
        };
        let lineage = (self.weather != Weather::NoLineage).then(|| self.lineage());
        let event = self.names_events.then(|| self.last_event().id);
        Some(Fetched { lineage, account: Some(asks), asked: None, event, outcome: Ok(reply) })
    }

    fn pictures(&mut self, size: Size, users: &[BatchUser], known: bool) -> Reply<Blob> {
        let (mut entries, mut renditions) = (Vec::new(), Vec::new());
        for asked in users {
            let Some(record) = self.truth.get(&asked.user_id).cloned() else {
                let (user_id, error) = (asked.user_id.clone(), NotFound::NotFound);
                entries.push(BatchEntry::Missing { user_id, error });
                continue;
            };
            let newer = asked.held.filter(|_| known).is_none_or(|held| held < record.revision);
            let image = record.image_id.filter(|_| newer);
            let hint = image.and_then(|image| self.hint(image, size));
            let sent = image.filter(|_| hint.is_none());
            renditions.extend(sent.and_then(|image| self.bytes(image, size)));
            entries.push(BatchEntry::Found { record, hint: hint.map(Box::new) });
        }
        Reply::Pictures { entries, renditions }
    }

    fn bytes(&mut self, image: ImageId, size: Size) -> Option<Checked<Blob>> {
        self.renditions_sent += 1;
        match self.weather {
            Weather::NoBytes => None,
            Weather::ErrorPages => Some((image, Err(RasterError::NotWebp))),
            weather => {
                let decodes = weather != Weather::Undecodable;
                Some((image, Ok(Blob { image, size, decodes })))
            }
        }
    }

    /// The list of ada, or of someone else: theirs are all users, under names that say whose friends
    /// they are.
    fn friends_of(&self, asks: &UserId) -> BTreeMap<String, UserId> {
        match *asks == account() {
            true => self.friends.clone(),
            false => {
                let named = |user: &UserId| (format!("{asks}/{user}"), user.clone());
                self.truth.keys().map(named).collect()
            }
        }
    }

    fn page(
        &mut self,
        asks: &UserId,
        cursor: Option<&str>,
        pictures: Option<Size>,
        etag: Option<&str>,
    ) -> Reply<Blob> {
        let after = |name: &str| cursor.is_none_or(|cursor| name > cursor);
        let friends = self.friends_of(asks);
        let rows: Vec<(&String, Friend)> = friends
            .iter()
            .filter(|(name, _)| after(name))
            .filter_map(|(name, user)| {
                let picture = self.truth.get(user)?.clone();
                let (user_id, headline) = (user.clone(), self.headline(user));
                Some((name, Friend { user_id, name: name.clone(), headline, picture }))
            })
            .collect();
        let more = rows.len() > self.page_size;
        let rows = &rows[..rows.len().min(self.page_size)];
        let next = rows.last().filter(|_| more).map(|(name, _)| (*name).clone());
        let page =
            FriendsPage { friends: rows.iter().map(|(_, friend)| friend.clone()).collect(), next };
        let name: Box<str> = format!("{} {asks} {page:?}", self.history).into();
        if etag == Some(&name) {
            return Reply::Friends(None);
        }
        let images = page.friends.iter().filter_map(|friend| friend.picture.image_id);
        let images: Vec<ImageId> = images.collect();
        let renditions = pictures.map_or(Vec::new(), |size| {
            images.into_iter().filter_map(|image| self.bytes(image, size)).collect()
        });
        Reply::Friends(Some(FriendsReply { page, etag: Some(name), pictures, renditions }))
    }

    /// Somebody writes something.
    pub(in crate::cache::core) fn write(&mut self, user: &UserId) -> Post {
        let id = format!("01990000-0000-7000-8000-{:012}", self.written);
        let text = format!("post {}", self.written);
        self.written += 1;
        let picture = self.truth[user].clone();
        let author = Author { user_id: user.clone(), name: user.to_string(), picture };
        let post = Post { id: id.parse().unwrap(), author, text, created_at: 0 };
        self.posts.push(post.clone());
        self.tell(Change::Post(post.clone()));
        post
    }

    /// Everything that was written, the oldest first.
    pub(in crate::cache::core) fn posts(&self) -> &[Post] {
        &self.posts
    }

    fn feed(&self, before: Option<&str>) -> Feed {
        let older = |post: &&Post| before.is_none_or(|before| post.id.as_str() < before);
        let mut posts: Vec<Post> = self.posts.iter().rev().filter(older).cloned().collect();
        let next = posts.get(self.page_size.wrapping_sub(1)).map(|post| post.id.clone());
        let next = next.filter(|_| posts.len() > self.page_size);
        posts.truncate(self.page_size);
        Feed { posts, next }
    }

    fn profile(&self, user: &UserId) -> Option<Profile> {
        let picture = self.truth.get(user)?.clone();
        let (user_id, name, headline) = (user.clone(), user.to_string(), self.headline(user));
        Some(Profile { user_id, name, headline, friend_count: 0, picture })
    }
}
