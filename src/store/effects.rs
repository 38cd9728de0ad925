//! Effects that take their time, from their beginning to their answer.

use miniature_api::Lineage;

use super::{driver::driver, monitor, room};
use crate::{
    browser::{
        indexed_db::IndexedDbShelf,
        later,
        layer::CacheLayer,
        lock,
        origin::{Reader, take_boot},
        schedule,
    },
    cache::{
        core::{Answer, Effect, EffectId, Event, Fetched, Request},
        entry::Content,
    },
};

/// Reads IndexedDB, and tells the core what came of it.
pub(super) async fn carry_out(shelf: IndexedDbShelf, effect: Effect<Content>) {
    let (id, answer) = match effect {
        Effect::Read { id, lookups, .. } => (id, Answer::Read(shelf.get_many(&lookups).await)),
        Effect::ReadDocuments { id, keys } => (id, Answer::Documents(shelf.documents(&keys).await)),
        _ => return,
    };
    driver().answer(id, answer);
}

/// What writes layers and reads the stream comes with the later half of the program, after the first frame.
/// Tells the core once it is here.
pub(super) fn bring_the_rest() {
    schedule::once_painted(|| {
        schedule::spawn(async {
            let pause = driver().read(|core| core.policy().breaker_pause);
            while later::bring().await.is_err() {
                schedule::sleep(pause).await;
            }
            all_is_here();
        });
    });
}

#[inline(never)]
fn all_is_here() {
    let driver = driver();
    driver.handle(Event::WritesWait(false));
    driver.handle(Event::Painting { has_locks: lock::has_locks() });
    driver.lines.hear_the_rest();
    monitor::offer();
    room::begin();
}

/// Sends a request, unless `boot.js` has sent it.
pub(super) async fn send(
    id: EffectId,
    request: Request,
    lineage: Option<Lineage>,
) -> Fetched<Content> {
    let driver = driver();
    let (boot_age, limit, part_every) = driver.read(|core| {
        let policy = core.policy();
        (policy.boot_age, policy.rendition_bytes, policy.part_every)
    });
    let reader = Reader {
        limit,
        part_every,
        progressed: &|bytes| driver.progressed(id, bytes),
        arriving: &|part| driver.handle(Event::Arriving(id, part)),
    };
    match take_boot(&request, boot_age) {
        Some(begun) => driver.api.fetch_begun(begun, &request, &reader).await,
        None => driver.api.fetch(&request, lineage, &reader).await,
    }
}
