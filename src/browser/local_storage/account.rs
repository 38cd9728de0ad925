//! Who is signed in, known before any request is answered.

use miniature_api::Account;

use super::{get, open, remove, set};
use crate::{browser::json, cache::layer::LayerError};

/// The key that names the signed-in account; other tabs watch it.
pub const ACCOUNT_KEY: &str = "miniature:v1:account";

/// The account that signed in last and did not sign out; what cannot be read is removed.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage.
pub fn current_account() -> Result<Option<Account>, LayerError> {
    let storage = open()?;
    let Some(text) = get(&storage, ACCOUNT_KEY)? else { return Ok(None) };
    match json::read(&text) {
        Some(account) => Ok(Some(account)),
        None => remove(&storage, ACCOUNT_KEY).map(|()| None),
    }
}

/// Notes who is signed in.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage, [`LayerError::Full`] if its
/// quota is spent.
pub fn set_current_account(account: &Account) -> Result<(), LayerError> {
    let text = json::write(account).ok_or(LayerError::Failed)?;
    set(&open()?, ACCOUNT_KEY, &text)
}

/// Notes that nobody is signed in.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage.
pub fn forget_current_account() -> Result<(), LayerError> {
    remove(&open()?, ACCOUNT_KEY)
}

/// Set while a sign-out has not reached the server yet.
const OWED_KEY: &str = "miniature:v1:sign-out-owed";

/// Whether a sign-out has not reached the server yet. Where storage is denied, none is remembered.
pub fn owes_sign_out() -> bool {
    open().and_then(|storage| get(&storage, OWED_KEY)).is_ok_and(|owed| owed.is_some())
}

/// Notes that the server is to be told of a sign-out.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage, [`LayerError::Full`] if its
/// quota is spent.
pub fn remember_sign_out() -> Result<(), LayerError> {
    set(&open()?, OWED_KEY, "1")
}

/// Notes that the server knows of the sign-out.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage.
pub fn forget_sign_out() -> Result<(), LayerError> {
    remove(&open()?, OWED_KEY)
}
