//! Who is signed in, known before any request is answered.

use miniature_api::{Account, Marker, UserId};

use super::{PREFIX, get, keys_under, open, remove, set};
use crate::{
    browser::json,
    cache::{core::Note, layer::LayerError},
};

/// The key that names the signed-in account; other tabs watch it.
pub const ACCOUNT_KEY: &str = "miniature:v1:account";

/// Set while a sign-out has not reached the server yet: the marker of the session, or nothing if it
/// had none.
const OWED_KEY: &str = "miniature:v1:sign-out-owed";

/// The account that signed in last and did not sign out, and the session whose end the server has not confirmed.
/// What cannot be read is removed. Where the browser denies this storage, nothing.
pub fn noted() -> Note {
    read().unwrap_or(Note { account: None, owed: None })
}

fn read() -> Result<Note, LayerError> {
    let storage = open()?;
    let owed = get(&storage, OWED_KEY)?.map(Marker::from);
    let text = get(&storage, ACCOUNT_KEY)?;
    let account: Option<Account> = text.as_deref().and_then(json::read);
    if text.is_some() && account.is_none() {
        remove(&storage, ACCOUNT_KEY)?;
    }
    Ok(Note { account, owed })
}

/// Notes it for the next document and other tabs.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage, [`LayerError::Full`] if its
/// quota is spent.
pub fn note(note: &Note) -> Result<(), LayerError> {
    let storage = open()?;
    match &note.owed {
        Some(marker) => set(&storage, OWED_KEY, marker.as_str())?,
        None => remove(&storage, OWED_KEY)?,
    }
    // Other tabs look once this has changed.
    match &note.account {
        Some(account) => {
            let text = json::write(account).ok_or(LayerError::Failed)?;
            set(&storage, ACCOUNT_KEY, &text)
        }
        None => remove(&storage, ACCOUNT_KEY),
    }
}

/// The accounts that have any key here.
///
/// # Errors
///
/// [`LayerError::Unavailable`] if the browser denies this storage.
pub fn accounts() -> Result<Vec<UserId>, LayerError> {
    let mut accounts = Vec::new();
    for key in keys_under(&open()?, PREFIX)? {
        let account = key.strip_prefix(PREFIX).and_then(|key| key.split_once(':'));
        if let Some(Ok(account)) = account.map(|(account, _)| account.parse())
            && !accounts.contains(&account)
        {
            accounts.push(account);
        }
    }
    Ok(accounts)
}
