//! What pictures hang on: the first page of a list, as the text that the app makes of it.

use miniature_api::UserId;
use web_sys::Storage;

use super::{PREFIX, get, open, remove, set};
use crate::cache::layer::LayerError;

/// The pages of one account.
#[derive(Clone, Debug)]
pub struct LocalPages {
    storage: Storage,
    prefix: String,
}

impl LocalPages {
    /// The pages of `account`.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn open(account: &UserId) -> Result<Self, LayerError> {
        Ok(Self { storage: open()?, prefix: format!("{PREFIX}{account}:page:") })
    }

    /// What was put under a name.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn get(&self, name: &str) -> Result<Option<String>, LayerError> {
        get(&self.storage, &self.key(name))
    }

    /// Keeps a text under a name.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent; what was there stays.
    pub fn put(&self, name: &str, text: &str) -> Result<(), LayerError> {
        set(&self.storage, &self.key(name), text)
    }

    /// Forgets a name.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub fn remove(&self, name: &str) -> Result<(), LayerError> {
        remove(&self.storage, &self.key(name))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
