//! The shelf of one account.

use miniature_api::UserId;
use web_sys::Storage;

use super::{PREFIX, get, keys_under, open, remove, row::Row, set};
use crate::{
    browser::json,
    cache::{
        clock::Timestamp,
        entry::{Entry, Found, Held},
        key::{Key, Lookup, Source},
        layer::{CacheLayer, InstantLayer, LayerError},
    },
};

/// Records and previews of one account, in LocalStorage.
#[derive(Clone, Debug)]
pub struct LocalStorageShelf {
    storage: Storage,
    account: String,
    pictures: String,
}

impl LocalStorageShelf {
    /// The shelf of `account`.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn open(account: &UserId) -> Result<Self, LayerError> {
        let account = format!("{PREFIX}{account}:");
        Ok(Self { storage: open()?, pictures: format!("{account}picture:"), account })
    }

    fn key(&self, user: &UserId) -> String {
        format!("{}{user}", self.pictures)
    }

    /// What is held of a user; removed if it cannot be read.
    fn row(&self, user: &UserId) -> Result<Option<Row>, LayerError> {
        let key = self.key(user);
        let Some(text) = get(&self.storage, &key)? else { return Ok(None) };
        let row = Row::parse(&text, user.as_str());
        if row.is_none() {
            remove(&self.storage, &key)?;
        }
        Ok(row)
    }

    /// Writes one entry after the other, noting in `before` what each replaced.
    fn write(
        &self,
        entries: &[Entry],
        now: Timestamp,
        before: &mut Vec<(String, Option<String>)>,
    ) -> Result<(), LayerError> {
        for entry in entries {
            let (key, line) = self.line(entry, now)?;
            let old = get(&self.storage, &key)?;
            set(&self.storage, &key, &line)?;
            before.push((key, old));
        }
        Ok(())
    }

    /// What was held fits again once all that came after it is gone.
    fn restore(&self, before: Vec<(String, Option<String>)>) {
        for (key, _) in &before {
            let _ = remove(&self.storage, key);
        }
        // The oldest value of a key that was written twice is the first one noted.
        for (key, old) in before.into_iter().rev() {
            let _ = match old {
                Some(old) => set(&self.storage, &key, &old),
                None => remove(&self.storage, &key),
            };
        }
    }

    fn line(&self, entry: &Entry, now: Timestamp) -> Result<(String, String), LayerError> {
        let user = &entry.record.record.user_id;
        let held = self.row(user)?.and_then(Row::into_preview);
        let line = json::write(&Row::new(entry, held, now));
        Ok((self.key(user), line.ok_or(LayerError::Failed)?))
    }

    fn touch(&self, user: &UserId, now: Timestamp) -> Result<(), LayerError> {
        let Some(mut row) = self.row(user)? else { return Ok(()) };
        row.used_at = now;
        let line = json::write(&row).ok_or(LayerError::Failed)?;
        set(&self.storage, &self.key(user), &line)
    }

    fn held(&self, key: &str) -> Result<Option<Held>, LayerError> {
        let Some(Ok(user)) = key.strip_prefix(&self.pictures).map(str::parse::<UserId>) else {
            return remove(&self.storage, key).map(|()| None);
        };
        let bytes = get(&self.storage, key)?.map_or(0, |line| key.len() + line.len()) as u64;
        let row = self.row(&user)?;
        Ok(row.map(|row| Held { key: Key::User(user), bytes, used_at: row.used_at }))
    }
}

/// Renditions have no line of their own here: they go and are used with their user.
fn users(keys: &[Key]) -> impl Iterator<Item = &UserId> {
    keys.iter().filter_map(|key| match key {
        Key::User(user) => Some(user),
        Key::Rendition(_) => None,
    })
}

impl CacheLayer for LocalStorageShelf {
    const SOURCE: Source = Source::LocalStorage;

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        lookups.iter().map(|lookup| self.peek(&lookup.wanted.user)).collect()
    }

    async fn put_many(&self, entries: &[Entry], now: Timestamp) -> Result<(), LayerError> {
        let mut before = Vec::new();
        let written = self.write(entries, now, &mut before);
        if written.is_err() {
            self.restore(before);
        }
        written
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<(), LayerError> {
        users(keys).try_for_each(|user| remove(&self.storage, &self.key(user)))
    }

    async fn touch_many(&self, keys: &[Key], now: Timestamp) -> Result<(), LayerError> {
        users(keys).try_for_each(|user| self.touch(user, now))
    }

    async fn inventory(&self) -> Result<Vec<Held>, LayerError> {
        let keys = keys_under(&self.storage, &self.pictures)?;
        keys.iter().filter_map(|key| self.held(key).transpose()).collect()
    }

    /// Pictures and pages alike.
    async fn clear(&self) -> Result<(), LayerError> {
        let keys = keys_under(&self.storage, &self.account)?;
        keys.iter().try_for_each(|key| remove(&self.storage, key))
    }
}

impl InstantLayer for LocalStorageShelf {
    fn peek(&self, user: &UserId) -> Result<Found, LayerError> {
        Ok(self.row(user)?.map(Row::into_found).unwrap_or_default())
    }
}
