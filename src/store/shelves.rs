//! The storages of the account that is signed in.

use std::cell::RefCell;

use miniature_api::UserId;

use crate::{
    browser::{
        indexed_db::IndexedDbShelf, local_storage::LocalStorageShelf, picture_cache::PictureShelf,
    },
    cache::{clock::Timestamp, core::Start, layer::LayerError},
};

/// All of them, if somebody is signed in.
#[derive(Debug, Default)]
pub(super) struct Shelves(RefCell<Option<Held>>);

#[derive(Debug)]
struct Held {
    account: UserId,
    /// Where it is denied, why.
    local: Result<LocalStorageShelf, LayerError>,
    durable: IndexedDbShelf,
    pictures: PictureShelf,
}

impl Shelves {
    /// Opens those of an account. Returns what LocalStorage says of it.
    pub(super) fn begin(&self, account: &UserId) -> Start {
        let local = LocalStorageShelf::open(account);
        let start = match &local {
            Ok(shelf) => shelf.start(account),
            Err(_) => nothing_stored(account),
        };
        let (durable, pictures) = (IndexedDbShelf::new(account), PictureShelf::new(account));
        self.0.replace(Some(Held { account: account.clone(), local, durable, pictures }));
        start
    }

    /// Lets go of them.
    pub(super) fn end(&self) {
        self.0.take();
    }

    /// Acts on LocalStorage, within the call.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if it is denied; otherwise what `act` came to.
    pub(super) fn on_local<T>(
        &self,
        act: impl FnOnce(&LocalStorageShelf) -> Result<T, LayerError>,
    ) -> Result<T, LayerError> {
        match self.0.borrow().as_ref().map(|held| &held.local) {
            Some(Ok(shelf)) => act(shelf),
            Some(Err(error)) => Err(*error),
            None => Err(LayerError::Unavailable),
        }
    }

    /// IndexedDB.
    pub(super) fn durable(&self) -> Option<IndexedDbShelf> {
        self.0.borrow().as_ref().map(|held| held.durable.clone())
    }

    /// The cache of pictures.
    pub(super) fn pictures(&self) -> Option<PictureShelf> {
        self.0.borrow().as_ref().map(|held| held.pictures.clone())
    }

    /// The IndexedDB of any account.
    pub(super) fn durable_of(&self, account: &UserId) -> IndexedDbShelf {
        let own = self.durable().filter(|_| self.are_of(account));
        own.unwrap_or_else(|| IndexedDbShelf::new(account))
    }

    /// Empties the LocalStorage of any account. Of one that is not signed in nothing stays, not
    /// even what tells old rows.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if it is denied.
    pub(super) fn erase_local(&self, account: &UserId) -> Result<(), LayerError> {
        let shelf = LocalStorageShelf::open(account)?;
        if self.are_of(account) { shelf.clear() } else { shelf.erase() }
    }

    fn are_of(&self, account: &UserId) -> bool {
        self.0.borrow().as_ref().is_some_and(|held| held.account == *account)
    }
}

fn nothing_stored(account: &UserId) -> Start {
    let believe_from = Timestamp::default();
    Start {
        account: account.clone(),
        lineage: None,
        believe_from,
        friends: None,
        feed: None,
        live: None,
        has_picture_cache: false,
    }
}
