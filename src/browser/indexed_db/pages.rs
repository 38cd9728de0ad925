//! Pages: what pictures hang on, as the text that the app makes of it.

use rexie::{Transaction, TransactionMode};

use super::{IndexedDbShelf, PAGES, STORED_AT, row};
use crate::cache::{clock::Timestamp, join, layer::LayerError};

/// The most pages kept; the oldest go. Profiles of a few hundred bytes, for the most part.
const PAGES_AT_MOST: u32 = 300;

impl IndexedDbShelf {
    /// The page that was put under a name.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn page_get(&self, name: &str) -> Result<Option<String>, LayerError> {
        let name = name.to_owned();
        let work = async move |transaction: &Transaction| {
            let page = transaction.store(PAGES)?.get(name.into()).await?;
            Ok(page.as_ref().and_then(row::read_page))
        };
        self.connection().run(&[PAGES], TransactionMode::ReadOnly, work).await
    }

    /// Keeps a page under a name. Of more than 300 pages the oldest go.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent; what was there stays.
    pub async fn page_put(&self, name: &str, text: &str, now: Timestamp) -> Result<(), LayerError> {
        let (name, page) = (name.to_owned(), row::page_row(text, now));
        let work = async move |transaction: &Transaction| {
            let pages = transaction.store(PAGES)?;
            pages.put(&page, Some(&name.into())).await?;
            let surplus = pages.count(None).await?.saturating_sub(PAGES_AT_MOST);
            if surplus == 0 {
                return Ok(());
            }
            let oldest = pages.index(STORED_AT)?.get_all_keys(None, Some(surplus)).await?;
            let deleted = join::all(oldest.into_iter().map(|name| pages.delete(name))).await;
            deleted.into_iter().collect()
        };
        self.connection().run(&[PAGES], TransactionMode::ReadWrite, work).await
    }
}
