//! Effects that wait for the later half of the program: those that change layers or look through them, and
//! the lines to other tabs and the server.

use miniature_api::UserId;

use super::driver::{Driver, driver};
use crate::{
    browser::{
        caches, decode, indexed_db,
        indexed_db::IndexedDbShelf,
        later::{self, NotLoaded},
        layer::CacheLayer,
        local_storage::{self, LocalStorageShelf},
        picture_cache::PictureShelf,
        schedule,
    },
    cache::{
        core::{Answer, Effect, EffectId},
        entry::Content,
        key::Source,
        layer::LayerError,
    },
};

/// Carries out an effect once all of the program is here. Once nobody is signed in, nobody waits for an answer.
#[inline(never)]
pub(super) fn begin(driver: &Driver, effect: Effect<Content>) {
    match effect {
        Effect::Write { id, layer: Source::LocalStorage, ops, now, room: _ } => {
            let written = driver.shelves.on_local(|shelf| shelf.apply(&ops, now));
            driver.answer(id, Answer::Written(written));
        }
        Effect::Count { id } => {
            let lines = driver.shelves.on_local(LocalStorageShelf::count);
            driver.answer(id, Answer::Counted(lines));
        }
        Effect::Read { .. }
        | Effect::Write { layer: Source::ServiceWorker, .. }
        | Effect::Measure { layer: Source::ServiceWorker, .. } => {
            if let Some(shelf) = driver.shelves.pictures() {
                schedule::spawn(use_pictures(shelf, effect));
            }
        }
        Effect::ListAccounts { id } => {
            let within = driver.read(|core| core.policy().idle_within);
            schedule::on_idle(move || schedule::spawn(survey(id)), within);
        }
        Effect::Lock { id, steal } => driver.lock(id, steal),
        Effect::Listen { id, lineage, last } => driver.listen(id, lineage, last),
        Effect::AnnounceWait => driver.announce_wait(),
        effect => {
            if let Some(shelf) = driver.shelves.durable() {
                schedule::spawn(carry_out(shelf, effect));
            }
        }
    }
}

/// Once all of the program is here, has the IndexedDB of an account emptied.
pub(super) fn erase_durable(id: EffectId, shelf: IndexedDbShelf) {
    once_here(move |here| match here {
        Ok(()) => schedule::spawn(async move { erased(id, shelf.clear().await) }),
        Err(NotLoaded) => erased(id, Err(LayerError::Failed)),
    });
}

/// Once all of the program is here, has the cache of pictures of an account deleted.
pub(super) fn erase_pictures(id: EffectId, account: UserId) {
    once_here(move |here| match here {
        Ok(()) => {
            schedule::spawn(async move { erased(id, caches::erase_pictures(&account).await) })
        }
        Err(NotLoaded) => erased(id, Err(LayerError::Failed)),
    });
}

fn once_here(act: impl FnOnce(Result<(), NotLoaded>) + 'static) {
    schedule::spawn(async { act(later::bring().await) });
}

fn erased(id: EffectId, erased: Result<(), LayerError>) {
    driver().answer(id, Answer::Erased(erased));
}

async fn carry_out(shelf: IndexedDbShelf, effect: Effect<Content>) {
    let (id, answer) = match effect {
        Effect::Write { id, ops, now, room, .. } => {
            (id, Answer::Written(shelf.apply(&ops, now, room).await))
        }
        Effect::Measure { id, .. } => (id, Answer::Measured(shelf.usage().await)),
        Effect::Decode { id, rendition } => {
            (id, Answer::Decoded(decode::decodes(&rendition).await))
        }
        _ => return,
    };
    driver().answer(id, answer);
}

async fn use_pictures(shelf: PictureShelf, effect: Effect<Content>) {
    let (id, answer) = match effect {
        Effect::Read { id, lookups, .. } => {
            let limit = driver().read(|core| core.policy().rendition_bytes);
            (id, Answer::Read(shelf.get_many(&lookups, limit).await))
        }
        Effect::Write { id, ops, room, .. } => (id, Answer::Written(shelf.apply(&ops, room).await)),
        Effect::Measure { id, .. } => (id, Answer::Measured(shelf.usage().await)),
        _ => return,
    };
    driver().answer(id, answer);
}

/// A storage that is denied holds nothing.
async fn survey(id: EffectId) {
    let mut accounts = local_storage::accounts().unwrap_or_default();
    accounts.extend(indexed_db::accounts().await);
    accounts.extend(caches::accounts().await);
    driver().answer(id, Answer::Accounts(Ok(accounts)));
}
