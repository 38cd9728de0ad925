//! The shelf of one account.

use miniature_api::UserId;
use web_sys::Storage;

use super::{
    BELIEVE_FROM, LINEAGE, LIVE, OLD_PICTURE, PREFIX, PREVIEW, RECORD, get, keys_under, open,
    remove,
    row::{Row, parse_preview},
};
use crate::{
    browser::layer::CacheLayer,
    cache::{
        clock::Timestamp,
        core::{Op, Room, Written},
        entry::{Content, Found, Line},
        key::{Lookup, Source},
        layer::LayerError,
    },
};

/// Records and previews of one account, in LocalStorage. All is done within the call.
#[derive(Clone, Debug)]
pub struct LocalStorageShelf {
    pub(super) storage: Storage,
    /// Begins all keys of the account.
    prefix: String,
}

impl LocalStorageShelf {
    /// The shelf of `account`.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn open(account: &UserId) -> Result<Self, LayerError> {
        Ok(Self { storage: open()?, prefix: format!("{PREFIX}{account}:") })
    }

    /// What is held of a user: the record, and the preview, which may be of an older image. What
    /// cannot be read back is removed and counts as not held.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn found(&self, user: &UserId) -> Result<Found, LayerError> {
        let row = self.read(&self.user_key(RECORD, user), |text| Row::parse(text, user))?;
        let preview = self.read(&self.user_key(PREVIEW, user), parse_preview)?;
        let Some(Row { known, used_at }) = row else {
            return Ok(Found { rendition: preview, ..Found::default() });
        };
        // Another tab may have stored the preview of a picture that is no more.
        let rendition = preview.filter(|_| known.record.image_id.is_some());
        Ok(Found { record: Some(known), rendition, used_at })
    }

    /// A line for each user of whom anything is held. Keys that cannot be read, and those of
    /// earlier layouts, are removed.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    #[inline(never)]
    pub fn count(&self) -> Result<Vec<Line>, LayerError> {
        let mut lines = Vec::new();
        for key in keys_under(&self.storage, &self.prefix)? {
            match self.kind_of(&key) {
                Some((RECORD | PREVIEW, _)) => self.count_key(&key, &mut lines)?,
                Some((OLD_PICTURE, _)) => remove(&self.storage, &key)?,
                Some(_) | None => {}
            }
        }
        Ok(lines)
    }

    fn count_key(&self, key: &str, lines: &mut Vec<Line>) -> Result<(), LayerError> {
        let text = get(&self.storage, key)?.unwrap_or_default();
        let Some((user, used_at)) = self.use_of(key, &text) else {
            return remove(&self.storage, key);
        };
        let bytes = (key.len() + text.len()) as u64;
        // A few hundred, once a document.
        if let Some(line) = lines.iter_mut().find(|line| line.user == user) {
            line.bytes += bytes;
            line.used_at = line.used_at.max(used_at);
        } else {
            lines.push(Line { user, bytes, used_at });
        }
        Ok(())
    }

    /// Whose a record or preview is, and when it was last used, which a preview does not say.
    fn use_of(&self, key: &str, text: &str) -> Option<(UserId, Timestamp)> {
        let (kind, user) = self.kind_of(key)?;
        let user = user.parse().ok()?;
        let used_at = if kind == RECORD {
            Row::parse(text, &user)?.used_at
        } else {
            parse_preview(text).map(|_| Timestamp(0))?
        };
        Some((user, used_at))
    }

    /// Forgets everything of the account, but for the lineage and the time from which rows are
    /// believed.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn clear(&self) -> Result<(), LayerError> {
        let kept = [BELIEVE_FROM, LINEAGE, LIVE].map(|name| self.key(name));
        let keys = keys_under(&self.storage, &self.prefix)?;
        let mut leaving = keys.iter().filter(|key| !kept.contains(key));
        leaving.try_for_each(|key| remove(&self.storage, key))
    }

    /// As [`Self::clear`], but for nothing: the account is not signed in any more.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn erase(&self) -> Result<(), LayerError> {
        let keys = keys_under(&self.storage, &self.prefix)?;
        keys.iter().try_for_each(|key| remove(&self.storage, key))
    }

    /// The key of what the account has one of.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The key of what there is of each user.
    pub(super) fn user_key(&self, kind: &str, user: &UserId) -> String {
        format!("{}{kind}:{user}", self.prefix)
    }

    /// The kind of a key of this account, and whose it is; none for a key of another shape.
    pub(super) fn kind_of<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        key.strip_prefix(&self.prefix)?.split_once(':')
    }

    /// What a user's two keys and their values take, and when the row was last used.
    pub(super) fn line(&self, user: UserId) -> Result<Line, LayerError> {
        let mut line = empty_line(user);
        for kind in [RECORD, PREVIEW] {
            let key = self.user_key(kind, &line.user);
            let Some(text) = get(&self.storage, &key)? else { continue };
            line.bytes += (key.len() + text.len()) as u64;
            if let Some((_, used_at)) = self.use_of(&key, &text) {
                line.used_at = line.used_at.max(used_at);
            }
        }
        Ok(line)
    }

    /// What stands under a key; removed if it cannot be read.
    fn read<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, LayerError> {
        let Some(text) = get(&self.storage, key)? else { return Ok(None) };
        let read = parse(&text);
        if read.is_none() {
            remove(&self.storage, key)?;
        }
        Ok(read)
    }
}

pub(super) fn empty_line(user: UserId) -> Line {
    Line { user, bytes: 0, used_at: Timestamp(0) }
}

impl CacheLayer for LocalStorageShelf {
    const SOURCE: Source = Source::LocalStorage;

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        lookups.iter().map(|lookup| self.found(&lookup.wanted.user)).collect()
    }

    /// Of this layer the core removes rows itself: `_room` is not looked at.
    async fn apply(
        &self,
        ops: &[Op<Content>],
        now: Timestamp,
        _room: Room,
    ) -> Result<Written, LayerError> {
        Self::apply(self, ops, now)
    }

    async fn clear(&self) -> Result<(), LayerError> {
        Self::clear(self)
    }
}
