//! What the layers keep of what was found further away. Never in the way of the first frame.

use std::rc::Rc;

use miniature_api::UserId;

use super::{Environment, Pipeline, State, guard::Guard};
use crate::cache::{
    clock::Clock,
    entry::{Entry, Rendition},
    event::CacheEvent,
    eviction::{self, Limits},
    join,
    key::{Key, RenditionKey, Wanted},
    layer::{Answer, LayerError, Origin, OriginError, Shelf},
};

/// What may be kept.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) entries: Vec<Entry>,
    /// Whether IndexedDB does not hold it already. What came from there was checked before it was
    /// stored.
    pub(super) durable: bool,
}

impl<E: Environment> Pipeline<E> {
    /// Stores the entries in the layers above the one they came from, when the page is idle.
    pub(super) fn backfill(self: &Rc<Self>, accepted: Accepted) {
        if accepted.entries.is_empty() {
            return;
        }
        let pipeline = self.clone();
        self.env.spawn_idle(Box::pin(async move { pipeline.store(accepted).await }));
    }

    async fn store(self: &Rc<Self>, Accepted { entries, durable }: Accepted) {
        let entries = if durable { self.decodable(entries).await } else { entries };
        let previews: Vec<Entry> = entries.iter().map(|entry| self.with_preview(entry)).collect();
        self.write(&self.instant, self.env.instant(), &previews, self.policy.local_storage).await;
        if durable {
            self.write(&self.durable, self.env.durable(), &entries, self.policy.indexed_db).await;
        }
    }

    /// Takes away what the browser cannot decode, from the entries and from memory.
    async fn decodable(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let checked = entries.into_iter().map(async |mut entry| {
            if let Some(rendition) = &entry.rendition {
                let decodes = self.env.origin().decodes(rendition).await;
                self.judge(&entry.record.record.user_id, rendition.key, decodes);
                entry.rendition = entry.rendition.filter(|_| decodes);
            }
            entry
        });
        join::all(checked).await
    }

    fn judge(&self, user: &UserId, key: RenditionKey, decodes: bool) {
        let mut state = self.state.borrow_mut();
        if decodes {
            state.memory.confirm(user, key);
            return;
        }
        if state.memory.refute(user, key) {
            state.memory.fail(user, OriginError::Malformed);
        }
        drop(state);
        self.env.happened(CacheEvent::OriginFailed(OriginError::Malformed));
        self.env.changed(user);
    }

    /// Whether nothing newer became known since.
    fn is_newest(&self, entry: &Entry) -> bool {
        let record = &entry.record.record;
        let state = self.state.borrow();
        !state.closed
            && state
                .memory
                .record(&record.user_id)
                .is_none_or(|known| known.record.revision <= record.revision)
    }

    /// The entry as LocalStorage keeps it: with the rendition only if it is small.
    fn with_preview(&self, entry: &Entry) -> Entry {
        let small = |rendition: &Rendition| {
            rendition.size() <= self.policy.preview_up_to
                && rendition.content.len() <= self.policy.preview_bytes
        };
        Entry { rendition: entry.rendition.clone().filter(small), record: entry.record.clone() }
    }

    async fn write(&self, guard: &Guard, layer: &dyn Shelf, entries: &[Entry], limits: Limits) {
        if entries.is_empty() || self.is_closed() || !guard.takes_writes() {
            return;
        }
        let put = || -> Answer<'_, ()> { Box::pin(self.put_newest(layer, entries)) };
        if let Some(Err(LayerError::Full)) = self.guarded(guard, &put).await {
            self.make_room(guard, layer).await;
            if !matches!(self.guarded(guard, &put).await, Some(Ok(()))) {
                guard.stop_writes();
            }
        }
        if self.is_closed() {
            // The session ended while this was being written: undo it.
            self.erase().await;
        } else {
            self.enforce(guard, layer, limits).await;
        }
    }

    /// Stores those of the entries that nothing newer became known of, if the session has not
    /// ended. The layers write in the order in which they are asked to, so what is newest now
    /// is never overwritten by something older.
    async fn put_newest(&self, layer: &dyn Shelf, entries: &[Entry]) -> Result<(), LayerError> {
        let newest: Vec<Entry> =
            entries.iter().filter(|entry| self.is_newest(entry)).cloned().collect();
        if newest.is_empty() {
            return Ok(());
        }
        layer.put(&newest, self.env.clock().now()).await
    }

    async fn make_room(&self, guard: &Guard, layer: &dyn Shelf) {
        if let Some(Ok(held)) = self.guarded(guard, &|| layer.list()).await {
            self.remove(guard, layer, &eviction::plan_for_full_disk(held)).await;
        }
    }

    /// Evicts what is over the limits.
    async fn enforce(&self, guard: &Guard, layer: &dyn Shelf, limits: Limits) {
        if let Some(Ok(held)) = self.guarded(guard, &|| layer.list()).await {
            self.remove(guard, layer, &eviction::plan(held, limits)).await;
        }
    }

    /// What cannot be removed now is over the limit at the next write, too, and goes then.
    async fn remove(&self, guard: &Guard, layer: &dyn Shelf, keys: &[Key]) {
        if !keys.is_empty() {
            let _ = self.guarded(guard, &|| layer.remove(keys)).await;
        }
    }

    /// Notes that what is shown of `wanted` was used: once a document, when the page is idle.
    pub(super) fn note_use(self: &Rc<Self>, wanted: &Wanted) {
        let mut state = self.state.borrow_mut();
        let first = state.uses.is_empty();
        for key in keys_of(&state, wanted) {
            if state.touched.insert(key.clone()) {
                state.uses.push(key);
            }
        }
        let begun = first && !state.uses.is_empty();
        drop(state);
        if begun {
            let pipeline = self.clone();
            self.env.spawn_idle(Box::pin(async move { pipeline.touch().await }));
        }
    }

    async fn touch(&self) {
        let keys = std::mem::take(&mut self.state.borrow_mut().uses);
        if self.is_closed() {
            return;
        }
        let now = self.env.clock().now();
        for (guard, layer) in self.layers() {
            // A use that could not be noted makes the order of eviction a little less exact.
            let _ = self.guarded(guard, &|| layer.touch(&keys, now)).await;
        }
    }

    pub(super) async fn remove_everywhere(&self, user: &UserId, key: RenditionKey) {
        self.remove(&self.instant, self.env.instant(), &[Key::User(user.clone())]).await;
        self.remove(&self.durable, self.env.durable(), &[Key::Rendition(key)]).await;
    }

    /// Erases both layers, healthy or not: nothing of an account may stay because a layer was
    /// being left alone.
    pub(super) async fn erase(&self) {
        for (guard, layer) in self.layers() {
            if let Err(error) = self.in_time(layer.empty()).await {
                self.layer_failed(guard, error);
            }
        }
    }

    fn layers(&self) -> [(&Guard, &dyn Shelf); 2] {
        [(&self.instant, self.env.instant()), (&self.durable, self.env.durable())]
    }
}

fn keys_of(state: &State, wanted: &Wanted) -> [Key; 2] {
    let Wanted { user, size } = wanted.clone();
    let rendition = state.memory.image(&user).map(|image| RenditionKey { image, size });
    let of_user = Key::User(user);
    [rendition.map_or(of_user.clone(), Key::Rendition), of_user]
}
