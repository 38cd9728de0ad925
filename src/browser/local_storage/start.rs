//! What the first frame of an account needs beside pictures.

use std::time::Duration;

use miniature_api::UserId;

use super::{
    BELIEVE_FROM, LINEAGE, LIVE, LocalStorageShelf, PICTURE_CACHE, SEEN, SYNCED, get, page_name,
    set,
};
use crate::{
    browser::json,
    cache::{
        clock::Timestamp,
        core::{LiveNote, Start},
        document::{Document, DocumentKey},
        layer::LayerError,
    },
};

/// The last time of 13 digits, in the year 2286.
const LAST: u64 = 9_999_999_999_999;

impl LocalStorageShelf {
    /// What is known of the account. What cannot be read counts as absent.
    ///
    /// The time from which rows are believed is written where there is none, so that it can be
    /// overwritten later even if the storage is full then.
    pub fn start(&self, account: &UserId) -> Start {
        let believe_from = self.text(BELIEVE_FROM).and_then(|text| parse_time(&text));
        if believe_from.is_none() {
            let _ = set(&self.storage, &self.key(BELIEVE_FROM), &time_text(Timestamp(0)));
        }
        Start {
            account: account.clone(),
            lineage: self.text(LINEAGE).and_then(|text| text.parse().ok()),
            believe_from: believe_from.unwrap_or_default(),
            friends: self.page(DocumentKey::Friends(None)),
            feed: self.page(DocumentKey::Feed(None)),
            live: self.text(LIVE).and_then(|text| parse_note(&text)),
            has_picture_cache: self.picture_cache().is_some(),
        }
    }

    /// The name of the cache of pictures, if one was made.
    pub fn picture_cache(&self) -> Option<String> {
        self.text(PICTURE_CACHE)
    }

    /// Notes that there is a cache of pictures of this name.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent, [`LayerError::Unavailable`] if the browser denies
    /// this storage.
    pub fn note_picture_cache(&self, name: &str) -> Result<(), LayerError> {
        set(&self.storage, &self.key(PICTURE_CACHE), name)
    }

    /// When what ends soon was renewed last.
    pub fn synced_at(&self) -> Option<Timestamp> {
        self.text(SYNCED).and_then(|text| parse_time(&text))
    }

    /// Notes when it was.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent, [`LayerError::Unavailable`] if the browser denies
    /// this storage.
    pub fn note_sync(&self, now: Timestamp) -> Result<(), LayerError> {
        set(&self.storage, &self.key(SYNCED), &time_text(now))
    }

    /// Whether the account was seen here first at least so long ago; true once. Notes it when it is seen first.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent, [`LayerError::Unavailable`] if the browser denies
    /// this storage.
    pub fn comes_back(&self, now: Timestamp, after: Duration) -> Result<bool, LayerError> {
        let key = self.key(SEEN);
        let Some(seen) = self.text(SEEN) else {
            set(&self.storage, &key, &time_text(now))?;
            return Ok(false);
        };
        let age = parse_time(&seen).and_then(|seen| now.age_of(seen));
        let is_back = age.is_some_and(|age| age >= after);
        if is_back {
            set(&self.storage, &key, "")?;
        }
        Ok(is_back)
    }

    fn page(&self, key: DocumentKey) -> Option<Document> {
        let page: Document = json::read(&self.text(page_name(&key)?)?)?;
        (page.key == key).then_some(page)
    }

    fn text(&self, name: &str) -> Option<String> {
        get(&self.storage, &self.key(name)).ok().flatten()
    }
}

/// 13 digits, whatever the time: overwriting needs no room.
pub(super) fn time_text(Timestamp(millis): Timestamp) -> String {
    format!("{:013}", millis.min(LAST))
}

pub(super) fn note_text(note: &LiveNote) -> String {
    format!("{} {}", note.lineage, note.id)
}

fn parse_note(text: &str) -> Option<LiveNote> {
    let (lineage, id) = text.split_once(' ')?;
    Some(LiveNote { lineage: lineage.parse().ok()?, id: id.into() })
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let whole = text.len() == 13 && text.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| text.parse().ok().map(Timestamp)).flatten()
}
