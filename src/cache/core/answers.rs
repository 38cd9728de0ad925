//! What layers say, or do not say in time.

use miniature_api::{Size, UserId};

use super::{
    Answer, Core, Written,
    effect::{Effect, EffectId},
    flights::{Flight, Task},
    open::Had,
    pending::Owed,
    person::Decodes,
    targets::Looked,
    viewers::millis,
};
use crate::cache::{
    clock::Moment,
    document::{Document, DocumentKey},
    entry::{Bytes, Found, Line},
    event::{self, CacheEvent, Step},
    eviction::Usage,
    key::{Lookup, RenditionKey, Source, Wanted},
    layer::{LayerError, OriginError},
};

impl<B: Bytes> Core<B> {
    /// An effect has ended. One that nobody waits for changes nothing.
    pub(super) fn answered(&mut self, id: EffectId, answer: Answer<B>) {
        let Some(flight) = self.flights.land(id) else {
            return;
        };
        self.release(id, &flight.task);
        match (flight.task.clone(), answer) {
            (Task::Read(layer, lookups), Answer::Read(found)) => {
                self.read(&flight, layer, lookups, found);
            }
            (Task::ReadDocuments(keys), Answer::Documents(documents)) => {
                self.read_documents(&flight, &keys, documents);
            }
            (_, Answer::Fetched(fetched)) => self.fetched(flight, fetched),
            (Task::Decode(user, key), Answer::Decoded(decodes)) => {
                self.decoded(&user, key, decodes, flight.since);
            }
            (Task::Write { layer, rows, sheds }, Answer::Written(written)) => {
                if written.is_err() {
                    self.could_not_shed(sheds);
                }
                self.written(&flight, layer, rows, written);
                sheds.into_iter().for_each(|before| self.has_shed(layer, before));
            }
            (Task::Count, Answer::Counted(lines)) => self.counted(lines),
            (Task::Measure(layer), Answer::Measured(usage)) => self.measured(layer, usage),
            (Task::Accounts, Answer::Accounts(accounts)) => self.surveyed(accounts),
            (Task::Erase(layer), Answer::Erased(erased)) => self.erased(id, layer, erased),
            (Task::Lock, Answer::Unlocked { has_locks }) => self.lock_lost(has_locks),
            (Task::Stream, Answer::Hushed(refusal)) => self.stream_ended(flight.since, refusal),
            // An answer to something else says nothing.
            _ => {}
        }
    }

    /// It took too long. Nobody waits any longer; what it says later is a fact all the same.
    pub(super) fn timed_out(&mut self, id: EffectId) {
        let Some(flight) = self.flights.give_up(id).cloned() else {
            return;
        };
        self.release(id, &flight.task);
        match &flight.task {
            Task::Pictures { .. }
            | Task::Rendition { .. }
            | Task::Document { .. }
            | Task::Session
            | Task::SignOut => {
                self.flights.land(id);
                self.queue.push_back(Effect::Cancel(id));
                self.fetched(flight, super::Fetched::unanswered());
            }
            Task::Read(layer, lookups) => {
                self.layer_failed(*layer, LayerError::TimedOut);
                self.not_read(*layer, lookups, flight.since, LayerError::TimedOut);
            }
            Task::ReadDocuments(keys) => {
                self.layer_failed(Source::IndexedDb, LayerError::TimedOut);
                self.no_documents(keys);
            }
            Task::Decode(user, key) => self.not_decoded(user, *key),
            Task::Write { layer, rows, sheds } => {
                self.could_not_shed(*sheds);
                self.write_timed_out(*layer, rows);
            }
            Task::Count => self.layer_failed(Source::LocalStorage, LayerError::TimedOut),
            Task::Measure(layer) => self.layer_failed(*layer, LayerError::TimedOut),
            Task::Accounts => self.surveyed(Err(LayerError::TimedOut)),
            Task::Stream => {
                self.flights.land(id);
                self.queue.push_back(Effect::Cancel(id));
                self.stream_ended(flight.since, OriginError::Unreachable.into());
            }
            Task::Erase(_) | Task::Lock => {}
        }
    }

    /// Takes an effect out of the facts about those it was for.
    pub(super) fn release(&mut self, id: EffectId, task: &Task) {
        match task {
            Task::Read(_, lookups) => {
                for lookup in lookups {
                    let wanted = &lookup.wanted;
                    self.people.change_known(&wanted.user, |person| {
                        let target = person.target_mut(wanted.size);
                        target.map(|t| t.reading.take_if(|reading| *reading == id));
                    });
                }
            }
            Task::Pictures { size, items } => {
                items.iter().for_each(|item| self.release_fetch(id, &item.user, *size));
            }
            Task::Rendition { user, key } => self.release_fetch(id, user, key.size),
            Task::Document { key, users, brings } => {
                self.release_document(id, key);
                self.release_confirmed(id, users, *brings);
            }
            Task::ReadDocuments(keys) => {
                keys.iter().for_each(|key| self.release_document(id, key));
            }
            Task::Session => self.session.asked.under_way = None,
            Task::SignOut => self.session.ending.under_way = None,
            Task::Write { layer, .. } => {
                self.layers.of_mut(*layer).writing.take_if(|writing| *writing == id);
            }
            Task::Count => self.layers.ledger.counting = None,
            Task::Lock | Task::Stream => self.live.release(id),
            Task::Decode(..) | Task::Measure(_) | Task::Accounts | Task::Erase(_) => {}
        }
    }

    pub(super) fn release_confirmed(
        &mut self,
        id: EffectId,
        users: &[UserId],
        brings: Option<Size>,
    ) {
        for user in users {
            self.people.change_known(user, |person| {
                person.confirming.take_if(|(confirming, _)| *confirming == id);
            });
            if let Some(size) = brings {
                self.release_fetch(id, user, size);
            }
        }
    }

    pub(super) fn release_fetch(&mut self, id: EffectId, user: &UserId, size: Size) {
        self.people.change_known(user, |person| {
            let target = person.target_mut(size);
            target.map(|t| t.fetching.take_if(|fetching| fetching.id == id));
        });
    }

    fn release_document(&mut self, id: EffectId, key: &DocumentKey) {
        if let Some(doc) = self.document_mut(key) {
            doc.under_way.take_if(|under_way| *under_way == id);
        }
    }

    fn read(
        &mut self,
        flight: &Flight,
        layer: Source,
        lookups: Vec<Lookup>,
        found: Result<Vec<Found<B>>, LayerError>,
    ) {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if !flight.given_up {
                    self.layer_failed(layer, error);
                    self.not_read(layer, &lookups, flight.since, error);
                }
                return;
            }
        };
        self.layer_succeeded(layer);
        for (Lookup { wanted, .. }, found) in lookups.into_iter().zip(found) {
            let had = Had::of(&found);
            self.take_in(&wanted.user, found, layer);
            let step = self.step(layer, self.said(&wanted, had), flight.since);
            self.looked(&wanted, Looked::Absent, step, flight.given_up);
        }
    }

    /// A layer that nobody waited for any more is no step of the load.
    fn looked(&mut self, wanted: &Wanted, looked: Looked, step: Step, given_up: bool) {
        self.people.change_known(&wanted.user, |person| {
            if let Some(target) = person.target_mut(wanted.size) {
                target.note_looked(step.layer, looked);
                if !given_up {
                    target.trail.push(step);
                }
            }
        });
    }

    /// Absent for this load.
    fn not_read(&mut self, layer: Source, lookups: &[Lookup], since: Moment, error: LayerError) {
        let step = self.step(layer, error.into(), since);
        for lookup in lookups {
            self.looked(&lookup.wanted, Looked::Failed, step, false);
        }
    }

    pub(super) fn step(&self, layer: Source, answer: event::Answer, since: Moment) -> Step {
        let took_ms = millis(self.time.now().since(since));
        Step { layer, answer, took_ms }
    }

    fn read_documents(
        &mut self,
        flight: &Flight,
        keys: &[DocumentKey],
        documents: Result<Vec<Option<Document>>, LayerError>,
    ) {
        let documents = match documents {
            Ok(documents) => documents,
            Err(error) => {
                if !flight.given_up {
                    self.layer_failed(Source::IndexedDb, error);
                    self.no_documents(keys);
                }
                return;
            }
        };
        self.layer_succeeded(Source::IndexedDb);
        for (key, document) in keys.iter().zip(documents) {
            if document.is_none() && *key == super::friends::FIRST {
                self.queue.push_back(Effect::AnnounceList(false));
            }
            if let Some(document) = &document {
                self.see_lineage(document.lineage);
            }
            let kept = document.map(|document| self.kept(document));
            if let Some(doc) = self.document_mut(key) {
                doc.durable = Looked::Absent;
                kept.into_iter().for_each(|kept| doc.keep(kept));
            }
        }
    }

    fn no_documents(&mut self, keys: &[DocumentKey]) {
        for key in keys {
            if let Some(doc) = self.document_mut(key) {
                doc.durable = Looked::Failed;
            }
        }
    }

    #[inline(never)]
    fn decoded(&mut self, user: &UserId, key: RenditionKey, decodes: bool, sent: Moment) {
        let (now, policy, jitter) = (self.time.now(), &self.policy, &mut self.jitter);
        let held = self.people.change_known(user, |person| {
            let held = person.held_mut(key)?;
            if decodes {
                held.decodes = Decodes::Yes;
                person.drop_older();
                return Some(());
            }
            person.held.retain(|held| held.rendition.key != key);
            let affected = person.targets.iter_mut().filter(|target| target.size <= key.size);
            affected.for_each(|target| target.refuse(sent, now, policy, jitter));
            Some(())
        });
        if held.flatten().is_some() && !decodes {
            self.note(CacheEvent::OriginFailed(OriginError::Malformed));
        }
        self.writes.decoded(user, now);
    }

    /// Shown, not stored, and tried once more at the next write.
    #[inline(never)]
    fn not_decoded(&mut self, user: &UserId, key: RenditionKey) {
        self.people.change_known(user, |person| {
            if let Some(held) = person.held_mut(key)
                && let Decodes::Asked(times) = held.decodes
            {
                held.decodes = Decodes::Unknown(times + 1);
            }
        });
        self.writes.decoded(user, self.time.now());
    }

    #[inline(never)]
    fn written(
        &mut self,
        flight: &Flight,
        layer: Source,
        rows: Vec<Owed>,
        written: Result<Written, LayerError>,
    ) {
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                if !flight.given_up {
                    self.layer_failed(layer, error);
                    self.not_written(layer, &rows, error);
                }
                return;
            }
        };
        self.layer_succeeded(layer);
        if rows.iter().any(Owed::takes_room) {
            self.layers.of_mut(layer).full = false;
        }
        for row in &rows {
            self.now_stored(layer, row);
        }
        for standing in written.standing {
            let (user, row) =
                (standing.record.user_id.clone(), (standing.version(), standing.checked_at));
            self.people.change_known(&user, |person| person.stored_mut(layer).record = Some(row));
            standing.lineage.into_iter().for_each(|lineage| self.see_lineage(lineage));
            self.learn_stored(standing, layer);
        }
        if layer == Source::LocalStorage {
            written.lines.into_iter().for_each(|line| self.layers.ledger.note(line));
        } else {
            self.layers.of_mut(layer).usage = Some(written.usage);
            if layer == Source::ServiceWorker && !self.has_picture_cache {
                self.has_picture_cache = true;
                // Those who wait for a request may be found there.
                self.people.touch_all();
            }
        }
    }

    #[inline(never)]
    fn write_timed_out(&mut self, layer: Source, rows: &[Owed]) {
        self.layer_failed(layer, LayerError::TimedOut);
        self.not_written(layer, rows, LayerError::TimedOut);
    }

    #[inline(never)]
    fn counted(&mut self, lines: Result<Vec<Line>, LayerError>) {
        match lines {
            Ok(lines) => {
                self.layer_succeeded(Source::LocalStorage);
                self.layers.ledger.counted = true;
                lines.into_iter().for_each(|line| self.layers.ledger.note(line));
            }
            Err(error) => self.layer_failed(Source::LocalStorage, error),
        }
    }

    #[inline(never)]
    fn measured(&mut self, layer: Source, usage: Result<Usage, LayerError>) {
        self.layers.of_mut(layer).usage = usage.ok();
        match usage {
            Ok(_) => self.layer_succeeded(layer),
            Err(error) => self.layer_failed(layer, error),
        }
    }

    /// Only what the browser calls erased is: until then the layer is neither read nor written for
    /// that account, and asked again.
    fn erased(&mut self, id: EffectId, layer: Source, erased: Result<(), LayerError>) {
        let at = self.erasures.iter().position(|(erasure, ..)| *erasure == id);
        let account = at.map(|at| self.erasures.swap_remove(at).1);
        match (erased, account) {
            (Ok(()), _) => {
                let layer = self.layers.of_mut(layer);
                layer.erasing.take_if(|erasing| *erasing == id);
            }
            (Err(error), account) => {
                self.note(CacheEvent::LayerFailed(layer, error));
                let again = self.time.now() + self.policy.breaker_pause;
                self.erase_again.extend(account.map(|account| (again, account, layer)));
            }
        }
        self.people.touch_all();
    }
}
