//! What the browser holds of sessions: two cookies, and two keys of LocalStorage.

use miniature_api::{ACCOUNT_COOKIE, Marker};

use crate::{
    browser::{cookies, local_storage},
    cache::{
        core::{Core, Identity, Note},
        entry::Content,
    },
};

/// The cookie that tells `boot.js` whose list IndexedDB holds: then it need not be asked for before
/// WebAssembly has started.
const LIST_COOKIE: &str = "miniature_list";

/// All of it.
pub(super) fn held() -> Identity {
    let Note { account, owed } = local_storage::noted();
    Identity { account, marker: marker(), owed }
}

/// The marker of the session that the browser has.
pub(super) fn marker() -> Option<Marker> {
    cookies::get(ACCOUNT_COOKIE).map(Marker::from)
}

/// Keeps who is signed in for other tabs and the next document. The marker of a session that is to
/// end goes first: that works where storage is denied, too.
pub(super) fn keep(note: &Note) {
    if note.owed.is_some() && marker() == note.owed {
        cookies::remove(ACCOUNT_COOKIE);
    }
    // Where storage is denied, the next document asks the server.
    let _ = local_storage::note(note);
}

/// Tells `boot.js` whether IndexedDB holds the first page of the account's list.
pub(super) fn announce_list(core: &Core<Content>, held: bool) {
    match core.account().filter(|_| held) {
        Some(account) => {
            cookies::set(LIST_COOKIE, account.as_str(), core.policy().indexed_db_fresh_for);
        }
        None => cookies::remove(LIST_COOKIE),
    }
}
