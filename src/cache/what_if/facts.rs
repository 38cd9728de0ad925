//! What recordings say of the world around the core.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Fault, Handle, When,
    durable::Durable,
    local::Local,
    pictures::Pictures,
    script::{Input, Script},
    server::Server,
    trips::{Trip, Trips},
};
use crate::cache::{
    clock::Now,
    core::{Answer, Core, Effect, EffectId, Event, Fetched, Start, StreamBody},
    document::Document,
    entry::Found,
    key::Source,
    layer::LayerError,
    replay::{Call, Hollow, Inventory, Recording, found_with, with_bytes},
};

/// The layers of an account, which outlive documents.
#[derive(Clone, Debug)]
pub(super) struct Layers<B> {
    pub(super) local: Local<B>,
    pub(super) durable: Durable<B>,
    pub(super) pictures: Pictures<B>,
}

/// What recordings say of the world around the core.
#[derive(Debug)]
pub(super) struct Facts<B> {
    pub(super) scripts: Vec<Script<B>>,
    /// As they were before the first document.
    pub(super) layers: Layers<B>,
    pub(super) server: Server<B>,
    pub(super) trips: Trips,
    /// How each layer fared, in the order of time.
    faults: BTreeMap<Source, Vec<(When, Fault)>>,
}

impl<B: Handle> Facts<B> {
    /// All that recordings of these documents of one tab say.
    pub(super) fn of(session: &[Recording]) -> Self {
        let mut learner = Learner::new();
        while learner.step(session) {}
        learner.into_facts()
    }

    pub(super) fn fault(&self, layer: Source, when: When) -> Fault {
        let known = self.faults.get(&layer);
        known.and_then(|known| super::latest(known, when)).copied().unwrap_or_default()
    }
}

/// An effect that has not been answered.
#[derive(Debug)]
struct Begun<B> {
    at: Duration,
    trip: Trip,
    effect: Effect<B>,
}

/// Tells a core again what it was told, and notes what it asks for and what was answered.
#[derive(Debug)]
pub(super) struct Learner<B> {
    facts: Facts<B>,
    document: usize,
    call: usize,
    core: Option<Core<B>>,
    begun: BTreeMap<EffectId, Begun<B>>,
}

impl<B: Handle> Learner<B> {
    pub(super) fn new() -> Self {
        let (local, durable, pictures) =
            (Local::default(), Durable::default(), Pictures::default());
        Self {
            facts: Facts {
                scripts: Vec::new(),
                layers: Layers { local, durable, pictures },
                server: Server::new(),
                trips: Trips::default(),
                faults: BTreeMap::new(),
            },
            document: 0,
            call: 0,
            core: None,
            begun: BTreeMap::new(),
        }
    }

    /// Learns from one call more; false at the end.
    pub(super) fn step(&mut self, session: &[Recording]) -> bool {
        let Some(recording) = session.get(self.document) else { return false };
        let mut core = self.core.take().unwrap_or_else(|| self.begin(recording));
        let Some((now, call)) = recording.calls.get(self.call) else {
            self.end_document(recording.calls.last().map_or(recording.began, |(now, _)| *now));
            return true;
        };
        self.call += 1;
        self.attend(&mut core, call, *now);
        self.core = Some(core);
        true
    }

    fn begin(&mut self, recording: &Recording) -> Core<B> {
        let Recording { policy, seed, visible, began, held, .. } = recording;
        let sleeps_after = policy.longest_sleep + policy.clock_jump;
        self.facts.scripts.push(Script::new(*seed, *visible, *began, sleeps_after));
        if let Some(held) = held.as_deref().filter(|_| self.document == 0) {
            self.stock(held);
        }
        Core::new(policy.clone(), *seed, *visible, *began)
    }

    fn attend(&mut self, core: &mut Core<B>, call: &Call, now: Now) {
        match call {
            Call::Open(wanted, found) => {
                let held = found.as_ref().map(|found| match found {
                    Ok(found) => Ok(found_with(found, &stand_in)),
                    Err(error) => Err(*error),
                });
                let (viewer, _) = core.open(wanted.clone(), held, now);
                self.opened(found.as_ref(), now);
                self.write_down(now, Input::Open(wanted.clone(), viewer));
            }
            Call::Event(event) => {
                self.hear(event, now);
                core.handle(with_bytes(event, &stand_in), now);
            }
            Call::Reset => self.write_down(now, Input::Reset),
            Call::Poll => {
                if let Some(effect) = core.poll(now) {
                    self.see(effect, now);
                }
                self.write_down(now, Input::Poll);
            }
        }
    }

    fn when(&self, running: Duration) -> When {
        When { document: self.document, running }
    }

    fn write_down(&mut self, now: Now, input: Input<B>) {
        if let Some(script) = self.facts.scripts.last_mut() {
            script.write(now, input);
        }
    }

    /// An effect without an answer means that the layer hung.
    fn end_document(&mut self, last: Now) {
        (self.document, self.call) = (self.document + 1, 0);
        let unanswered = std::mem::take(&mut self.begun);
        for begun in unanswered.into_values() {
            let waited = last.running.saturating_sub(begun.at);
            if let Some(layer) = begun.trip.layer()
                && waited > Duration::from_secs(2)
            {
                let when = When { document: self.document - 1, running: begun.at };
                self.facts.faults.entry(layer).or_default().push((when, Fault::Hanging));
            }
        }
    }

    fn opened(&mut self, found: Option<&Result<Found<Hollow>, LayerError>>, now: Now) {
        match found {
            Some(Ok(found)) => {
                self.found(found);
                self.fared(Source::LocalStorage, None, now.running, false);
            }
            Some(Err(error)) => self.fared(Source::LocalStorage, Some(*error), now.running, false),
            None => {}
        }
    }

    /// A layer answered so what left at `running`.
    fn fared(&mut self, layer: Source, error: Option<LayerError>, running: Duration, writes: bool) {
        let fault = error.map_or(Fault::None, Fault::from);
        // That a read succeeds says nothing of a full disk.
        let is_full_still = |last: &Fault| *last == Fault::Full && !writes && fault == Fault::None;
        let when = self.when(running);
        let known = self.facts.faults.entry(layer).or_default();
        if !known.last().is_some_and(|(_, last)| is_full_still(last)) {
            known.push((when, fault));
        }
    }

    /// What a layer holds of a user.
    fn found(&mut self, found: &Found<Hollow>) {
        if let Some(rendition) = &found.rendition {
            self.facts.server.learn_length(rendition.key, rendition.content.0);
        }
        if let Some(record) = &found.record {
            self.facts.server.learn_stored(record);
        }
    }

    /// What the layers held at the beginning.
    fn stock(&mut self, held: &Inventory) {
        let Inventory { local, records, renditions, pictures } = held;
        for (user, found) in local {
            self.found(found);
            let Found { record, rendition, used_at } = found_with(found, &stand_in);
            let record = record.map(|record| (record, used_at));
            let row = super::local::Row { record, preview: rendition };
            self.facts.layers.local.rows.insert(user.clone(), row);
        }
        for (record, used_at, image) in records {
            self.facts.server.learn_stored(record);
            let row = (record.clone(), *used_at, *image);
            let user = record.record.user_id.clone();
            self.facts.layers.durable.records.insert(user, row);
        }
        for (key, content, used_at) in renditions {
            self.facts.server.learn_length(*key, content.0);
            let row = (stand_in(content), *used_at);
            self.facts.layers.durable.renditions.insert(*key, row);
        }
        for (key, content) in pictures {
            self.facts.server.learn_length(*key, content.0);
            self.facts.layers.pictures.held.push((*key, stand_in(content)));
        }
    }

    fn see(&mut self, effect: Effect<B>, now: Now) {
        if let Effect::Cancel(id) = &effect {
            self.begun.remove(id);
        }
        if let Some((id, trip)) = Trip::of(&effect) {
            self.begun.insert(id, Begun { at: now.running, trip, effect });
        }
    }

    fn hear(&mut self, event: &Event<Hollow>, now: Now) {
        let input = match event {
            Event::Answer(id, answer) => match self.answered(*id, answer, now) {
                Some(input) => input,
                None => return,
            },
            Event::Arriving(id, fetched) => return self.arriving(*id, fetched),
            Event::Progressed(id, bytes) => match self.begun.get(id) {
                Some(Begun { effect: Effect::Listen { .. }, .. }) => Input::Progressed(*bytes),
                _ => return,
            },
            Event::Locked(_) => Input::Granted,
            Event::Streamed(_, account, event) => Input::Streamed(account.clone(), event.clone()),
            event => Input::Tell(with_bytes(event, &stand_in)),
        };
        self.learn_of_events(event, now);
        self.write_down(now, input);
    }

    fn learn_of_events(&mut self, event: &Event<Hollow>, now: Now) {
        let when = self.when(now.running);
        let streamed = match event {
            Event::Streamed(.., event) => Some(event),
            Event::Overheard(event) => event.as_ref(),
            _ => None,
        };
        if let Some(StreamBody::Change(change)) = streamed.map(|event| &event.body) {
            self.facts.server.learn_change(change, when);
        }
        match event {
            Event::News(records, _) => {
                records.iter().for_each(|r| self.facts.server.learn_record(r, when, true));
            }
            Event::Taken { record, .. } => self.facts.server.learn_record(record, when, true),
            Event::Described { profile, .. } => self.facts.server.learn_profile(profile, when),
            Event::Session(Some(start)) => self.begins(start),
            _ => {}
        }
    }

    fn begins(&mut self, start: &Start) {
        let documents = start.friends.iter().chain(&start.feed);
        let is_first = self.document == 0;
        for document in documents {
            self.facts.server.learn_document(document, When::BEGIN);
            if is_first {
                let Layers { local, durable, .. } = &mut self.facts.layers;
                local.first.insert(document.key.clone(), document.clone());
                durable.documents.insert(document.key.clone(), document.clone());
            }
        }
        if is_first {
            let local = &mut self.facts.layers.local;
            local.believe_from = start.believe_from;
            local.lineage = start.lineage;
            local.live = start.live.clone();
        }
    }

    /// A part of an answer.
    fn arriving(&mut self, id: EffectId, fetched: &Fetched<Hollow>) {
        let Some(begun) = self.begun.get(&id) else { return };
        if let (Effect::Fetch { request, .. }, Ok(reply)) = (&begun.effect, &fetched.outcome) {
            let when = When { document: self.document, running: begun.at };
            self.facts.server.learn_reply(request, reply, when);
        }
    }

    /// What it says of the world; what is to be told again, if that does not follow from the world.
    fn answered(&mut self, id: EffectId, answer: &Answer<Hollow>, now: Now) -> Option<Input<B>> {
        let begun = match answer {
            Answer::Unlocked { has_locks } => {
                return Some(Input::Unlocked { has_locks: *has_locks });
            }
            Answer::Hushed(refusal) => return Some(Input::Hushed(*refusal)),
            _ => self.begun.remove(&id)?,
        };
        let (took, asked) = (now.running.saturating_sub(begun.at), asked_of(answer));
        let document = self.document;
        self.facts.trips.note(begun.trip.clone(), document, took, asked);
        if let Some((layer, error)) = begun.trip.layer().zip(error_of(answer)) {
            let writes = matches!(answer, Answer::Written(_));
            self.fared(layer, error, begun.at, writes);
        }
        let when = self.when(begun.at);
        match (&begun.effect, answer) {
            (Effect::Read { .. }, Answer::Read(Ok(found))) => {
                found.iter().for_each(|found| self.found(found));
            }
            (Effect::ReadDocuments { .. }, Answer::Documents(Ok(documents))) => {
                documents.iter().flatten().for_each(|document| self.learn_held(document));
            }
            (Effect::Fetch { request, .. }, Answer::Fetched(fetched)) => {
                let when = match asked {
                    Some(asked) => When { running: asked, ..when },
                    None => when,
                };
                self.facts.server.learn(request, fetched, when);
            }
            _ => {}
        }
        None
    }

    fn learn_held(&mut self, document: &Document) {
        self.facts.server.learn_document(document, When::BEGIN);
        // What was confirmed since was stored since.
        let began = self.facts.scripts.first().map(|script| script.began.wall);
        if began.is_some_and(|began| document.checked_at > began) {
            return;
        }
        let held = &mut self.facts.layers.durable.documents;
        held.entry(document.key.clone()).or_insert_with(|| document.clone());
    }

    pub(super) fn into_facts(mut self) -> Facts<B> {
        self.facts.server.settle();
        self.facts.faults.values_mut().for_each(|known| known.sort_by_key(|(when, _)| *when));
        self.facts
    }
}

fn stand_in<B: Handle>(hollow: &Hollow) -> B {
    B::of_length(hollow.0)
}

/// How a layer has fared, if a layer has answered.
fn error_of(answer: &Answer<Hollow>) -> Option<Option<LayerError>> {
    match answer {
        Answer::Read(read) => Some(read.as_ref().err().copied()),
        Answer::Documents(read) => Some(read.as_ref().err().copied()),
        Answer::Written(written) => Some(written.as_ref().err().copied()),
        Answer::Measured(measured) => Some(measured.as_ref().err().copied()),
        _ => None,
    }
}

/// When it was asked, if that was before its effect.
fn asked_of(answer: &Answer<Hollow>) -> Option<Duration> {
    match answer {
        Answer::Fetched(fetched) => fetched.asked,
        _ => None,
    }
}
