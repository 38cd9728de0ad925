//! The Cache API: caches by their names.

use js_sys::{Array, Promise, Reflect};
use miniature_api::UserId;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, CacheStorage};

use super::exception;
use crate::cache::layer::LayerError;

/// How the names of caches begin that hold the app's own files.
const SHELLS: &str = "miniature-shell-";

/// How the names of caches begin that hold pictures of an account: then follow its id, a colon, and a
/// number that is new with each cache.
const PICTURES: &str = "miniature-pictures-v1:";

/// The caches of this origin; none in a page that is not secure.
fn storage() -> Result<CacheStorage, LayerError> {
    let window = web_sys::window().ok_or(LayerError::Unavailable)?;
    // The getter throws where the browser denies it.
    let storage = Reflect::get(&window, &"caches".into()).map_err(|_| LayerError::Unavailable)?;
    storage.dyn_into().map_err(|_| LayerError::Unavailable)
}

pub(super) async fn settled(promise: Promise) -> Result<JsValue, LayerError> {
    JsFuture::from(promise).await.map_err(|thrown| exception::layer_error(&thrown))
}

/// The accounts that have a cache of pictures; none where the browser denies this storage.
pub async fn accounts() -> Vec<UserId> {
    let names = names(PICTURES).await.unwrap_or_default();
    let account_of = |name: &String| name.strip_prefix(PICTURES)?.split_once(':')?.0.parse().ok();
    names.iter().filter_map(account_of).collect()
}

/// Deletes the pictures of an account. What is put into their cache later is in no cache.
///
/// # Errors
///
/// [`LayerError::Failed`] if the browser does not say that they are gone.
pub async fn erase_pictures(account: &UserId) -> Result<(), LayerError> {
    delete_all(&format!("{PICTURES}{account}:")).await
}

/// Opens a cache of pictures of an account, which is made if there is none of that name.
pub(super) async fn open_pictures(account: &UserId, name: &str) -> Result<Cache, LayerError> {
    let opened = settled(storage()?.open(&format!("{PICTURES}{account}:{name}"))).await?;
    Ok(opened.unchecked_into())
}

/// Deletes it.
pub(super) async fn delete_pictures(account: &UserId, name: &str) -> Result<(), LayerError> {
    settled(storage()?.delete(&format!("{PICTURES}{account}:{name}"))).await.map(drop)
}

/// Deletes the app's own files.
///
/// # Errors
///
/// [`LayerError::Failed`] if the browser does not say that they are gone.
pub async fn erase_shells() -> Result<(), LayerError> {
    delete_all(SHELLS).await
}

/// Where the browser denies this storage, it holds nothing.
async fn delete_all(start: &str) -> Result<(), LayerError> {
    let names = match names(start).await {
        Ok(names) => names,
        Err(LayerError::Unavailable) => return Ok(()),
        Err(error) => return Err(error),
    };
    for name in names {
        settled(storage()?.delete(&name)).await?;
    }
    Ok(())
}

async fn names(start: &str) -> Result<Vec<String>, LayerError> {
    let names: Array = settled(storage()?.keys()).await?.unchecked_into();
    let names = names.iter().filter_map(|name| name.as_string());
    Ok(names.filter(|name| name.starts_with(start)).collect())
}
