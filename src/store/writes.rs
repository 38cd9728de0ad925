//! Effects that change layers, or look through them. They come with the later half of the program.

use std::time::Duration;

use miniature_api::UserId;

use super::driver::driver;
use crate::{
    browser::{
        caches, indexed_db,
        indexed_db::IndexedDbShelf,
        later::{self, NotLoaded},
        layer::CacheLayer,
        local_storage,
        picture_cache::PictureShelf,
        schedule,
    },
    cache::{
        core::{Answer, Effect, EffectId},
        entry::Content,
        layer::LayerError,
    },
};

/// Once all of the program is here, carries out an effect on IndexedDB.
pub(super) fn begin(shelf: IndexedDbShelf, effect: Effect<Content>) {
    once_here(move |here| {
        let failed = Err(LayerError::Failed);
        match (here, effect) {
            (Ok(()), effect) => schedule::spawn(carry_out(shelf, effect)),
            (Err(NotLoaded), Effect::Erase { id, .. }) => erased(id, failed),
            // It waits for the rest of the program, or somebody asks again.
            (Err(NotLoaded), _) => {}
        }
    });
}

/// Once all of the program is here, carries out an effect on the cache of pictures.
pub(super) fn act_on_pictures(shelf: PictureShelf, effect: Effect<Content>) {
    once_here(move |here| {
        if here.is_ok() {
            schedule::spawn(use_pictures(shelf, effect));
        }
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

/// Looks in idle time, or after `within`, whose data any storage holds.
pub(super) fn list_accounts(id: EffectId, within: Duration) {
    let list = move || {
        once_here(move |here| match here {
            Ok(()) => schedule::spawn(survey(id)),
            Err(NotLoaded) => driver().answer(id, Answer::Accounts(Err(LayerError::Failed))),
        });
    };
    schedule::on_idle(list, within);
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
        Effect::Erase { id, .. } => (id, Answer::Erased(shelf.clear().await)),
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
    driver().answer(id, Answer::Accounts(Ok(accounts.into_iter().collect())));
}
