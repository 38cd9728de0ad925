//! The documents of a session once more, under another policy.

use std::time::Duration;

use super::{
    Fault, Forecast, Handle, When,
    facts::{Facts, Layers},
    script::Input,
    stage::{Departed, Stage, Under},
    trips::Trip,
};
use crate::cache::{
    clock::{Now, Timestamp},
    core::{Answer, Effect, EffectId, Event, Op, Request, Room, Wake, Written},
    event::CacheEvent,
    key::Source,
    layer::LayerError,
    policy::Policy,
    stats::Stats,
};

/// More effects than any turn has.
const MOST_EFFECTS: usize = 100_000;
/// No timer is quicker.
const TICK: Duration = Duration::from_millis(1);

/// A session that is played under a policy, step by step: the page has other things to do.
#[derive(Debug)]
pub(super) struct Play<B> {
    policy: Policy,
    layers: Layers<B>,
    stats: Stats,
    took_ms: Vec<f64>,
    stage: Option<Stage<B>>,
    document: usize,
}

impl<B: Handle> Play<B> {
    pub(super) fn new(facts: &Facts<B>, policy: Policy) -> Self {
        let began = facts.scripts.first().map_or(Timestamp(0), |script| script.began.wall);
        Self {
            policy,
            layers: facts.layers.clone(),
            stats: Stats::new(began),
            took_ms: Vec::new(),
            stage: None,
            document: 0,
        }
    }

    /// Plays on by one thing that happened; false at the end.
    pub(super) fn step(&mut self, facts: &Facts<B>) -> bool {
        let Some(script) = facts.scripts.get(self.document) else { return false };
        let stage = self.stage.get_or_insert_with(|| {
            Stage::new(&self.policy, script.seed, script.visible, script.began)
        });
        let Some((now, input)) = script.inputs.get(stage.input) else {
            self.end_document(facts);
            return true;
        };
        stage.input += 1;
        let slept = now.running.saturating_sub(stage.now.running) > script.sleeps_after;
        if !slept {
            self.pass_time(facts, *now);
        }
        if let Some(stage) = &mut self.stage {
            stage.now = *now;
        }
        self.deliver_until(facts, now.running);
        self.perform(facts, input);
        true
    }

    pub(super) fn forecast(&mut self) -> Forecast {
        let Layers { local, durable, pictures } = &mut self.layers;
        (local.fault, durable.fault, pictures.fault) = (Fault::None, Fault::None, Fault::None);
        let bytes = [
            self.layers.local.count().map_or(0, |lines| lines.iter().map(|l| l.bytes).sum()),
            self.layers.durable.usage().map_or(0, |usage| usage.bytes),
            self.layers.pictures.usage().map_or(0, |usage| usage.bytes),
        ];
        Forecast::of(&self.stats.metrics(|_| None, None), &self.took_ms, bytes.iter().sum())
    }

    /// A write that has begun is carried out, though the document has ended.
    fn end_document(&mut self, facts: &Facts<B>) {
        self.deliver_until(facts, self.running());
        if let Some(stage) = self.stage.take() {
            for Departed { at, under, .. } in stage.pending.into_values() {
                if let Under::Write(layer, ops, now, room) = under {
                    let _ = self.write(facts, at, layer, &ops, now, room);
                }
            }
        }
        self.document += 1;
    }

    /// Answers come and timers ring before `until`.
    fn pass_time(&mut self, facts: &Facts<B>, until: Now) {
        loop {
            let Some(stage) = &mut self.stage else { return };
            let Wake { at, .. } = stage.core.wake();
            let rings = at.max(stage.now.running + TICK);
            let answers = stage.pending.keys().next().map(|(at, _)| (*at).max(stage.now.running));
            let next = answers.map_or(rings, |at| at.min(rings));
            if next >= until.running {
                return;
            }
            stage.pass(next);
            self.deliver_until(facts, next);
            self.poll(facts);
        }
    }

    /// Delivers what is there by now.
    fn deliver_until(&mut self, facts: &Facts<B>, until: Duration) {
        // A policy without any pause may ask for ever within one moment.
        for _ in 0..MOST_EFFECTS {
            let Some(stage) = &mut self.stage else { return };
            let Some(first) = stage.pending.first_entry().filter(|f| f.key().0 <= until) else {
                return;
            };
            let Departed { id, at, under, .. } = first.remove();
            if let Some(answer) = self.answer(facts, at, under) {
                self.tell(Event::Answer(id, answer));
                self.poll(facts);
            }
        }
    }

    fn tell(&mut self, event: Event<B>) {
        if let Some(stage) = &mut self.stage {
            stage.core.handle(event, stage.now);
        }
    }

    /// The time of the document that is played.
    fn running(&self) -> Duration {
        self.stage.as_ref().map_or(Duration::ZERO, |stage| stage.now.running)
    }

    fn perform(&mut self, facts: &Facts<B>, input: &Input<B>) {
        self.suffer(facts, self.running());
        let Some(stage) = &mut self.stage else { return };
        let event = match input {
            Input::Open(wanted, recorded) => {
                let looks = stage.core.looks(&wanted.user);
                let found = looks.then(|| self.layers.local.found(&wanted.user));
                let (viewer, _) = stage.core.open(wanted.clone(), found, stage.now);
                stage.viewers.insert(*recorded, viewer);
                return;
            }
            Input::Reset => {
                self.stats = Stats::new(stage.now.wall);
                return self.took_ms.clear();
            }
            Input::Poll => return self.poll(facts),
            Input::Granted => match stage.lock {
                Some(id) => Event::Locked(id),
                None => {
                    stage.is_granted = true;
                    return;
                }
            },
            Input::Unlocked { has_locks } => match stage.lock.take() {
                Some(id) => Event::Answer(id, Answer::Unlocked { has_locks: *has_locks }),
                None => return,
            },
            Input::Streamed(account, event) => match stage.stream {
                Some(id) => Event::Streamed(id, account.clone(), event.clone()),
                None => return,
            },
            Input::Progressed(bytes) => match stage.stream {
                Some(id) => Event::Progressed(id, *bytes),
                None => return,
            },
            Input::Hushed(refusal) => match stage.stream.take() {
                Some(id) => Event::Answer(id, Answer::Hushed(*refusal)),
                None => return,
            },
            Input::Tell(event) => match stage.renamed(event) {
                Some(event) => event,
                None => return,
            },
        };
        if let Event::StorageChanged(change) = &event
            && change.of_record
        {
            self.layers.local.changed_elsewhere(change);
        }
        self.tell(event);
    }

    fn poll(&mut self, facts: &Facts<B>) {
        for _ in 0..MOST_EFFECTS {
            let Some(stage) = &mut self.stage else { return };
            match stage.core.poll(stage.now) {
                Some(effect) => self.carry_out(facts, effect),
                None => return,
            }
        }
    }

    fn carry_out(&mut self, facts: &Facts<B>, effect: Effect<B>) {
        let trip = Trip::of(&effect);
        let under = match effect {
            Effect::Report(report) => return self.count(report),
            Effect::Cancel(id) => return self.cancel(id),
            Effect::Lock { id, .. } => return self.lock(id),
            Effect::Listen { id, .. } => {
                if let Some(stage) = &mut self.stage {
                    stage.stream = Some(id);
                }
                return;
            }
            Effect::Count { id } => {
                self.suffer(facts, self.running());
                let counted = self.layers.local.count();
                return self.tell(Event::Answer(id, Answer::Counted(counted)));
            }
            Effect::Write { id, layer: Source::LocalStorage, ops, now, room } => {
                let at = self.running();
                let written = self.write(facts, at, Source::LocalStorage, &ops, now, room);
                let written = written.unwrap_or(Err(LayerError::TimedOut));
                return self.tell(Event::Answer(id, Answer::Written(written)));
            }
            Effect::Read { layer, lookups, .. } => Under::Read(layer, lookups),
            Effect::ReadDocuments { keys, .. } => Under::Documents(keys),
            Effect::Write { layer, ops, now, room, .. } => Under::Write(layer, ops, now, room),
            Effect::Measure { layer, .. } => Under::Measure(layer),
            Effect::Erase { layer, .. } => Under::Erase(layer),
            Effect::Decode { .. } => Under::Said(Box::new(Answer::Decoded(true))),
            Effect::ListAccounts { .. } => Under::Said(Box::new(Answer::Accounts(Ok(Vec::new())))),
            Effect::Fetch { id, request, lineage } => {
                return self.send(facts, id, request, lineage);
            }
            Effect::AnnounceWait
            | Effect::Note(_)
            | Effect::AnnounceList(_)
            | Effect::Renewed { .. }
            | Effect::Changed(_) => return,
        };
        if let (Some((id, trip)), Some(stage)) = (trip, &mut self.stage) {
            stage.depart(facts, self.document, id, trip, |_| under);
        }
    }

    fn send(
        &mut self,
        facts: &Facts<B>,
        id: EffectId,
        request: Request,
        lineage: Option<miniature_api::Lineage>,
    ) {
        let Some(stage) = &mut self.stage else { return };
        let when = stage.when(self.document);
        let effect: Effect<B> = Effect::Fetch { id, request: request.clone(), lineage };
        let Some((_, trip)) = Trip::of(&effect) else { return };
        stage.depart(facts, self.document, id, trip, |asked| {
            let fetched = facts.server.answer(&request, lineage, when, asked);
            Under::Said(Box::new(Answer::Fetched(fetched)))
        });
    }

    fn lock(&mut self, id: EffectId) {
        let Some(stage) = &mut self.stage else { return };
        stage.lock = Some(id);
        if std::mem::take(&mut stage.is_granted) {
            self.tell(Event::Locked(id));
        }
    }

    fn cancel(&mut self, id: EffectId) {
        let Some(stage) = &mut self.stage else { return };
        let is_write = |departed: &Departed<B>| matches!(departed.under, Under::Write(..));
        stage.pending.retain(|_, departed| departed.id != id || is_write(departed));
        stage.lock.take_if(|lock| *lock == id);
        stage.stream.take_if(|stream| *stream == id);
    }

    fn count(&mut self, report: CacheEvent) {
        if let CacheEvent::Loaded(load) = &report {
            self.took_ms.push(load.took_ms);
        }
        self.stats.count(report);
    }

    /// What the world says to what was asked at `at`; none: nothing.
    fn answer(&mut self, facts: &Facts<B>, at: Duration, under: Under<B>) -> Option<Answer<B>> {
        self.suffer(facts, at);
        let Layers { local, durable, pictures } = &mut self.layers;
        let hangs = |fault| fault == Fault::Hanging;
        Some(match under {
            Under::Said(answer) => *answer,
            Under::Read(Source::ServiceWorker, _) if hangs(pictures.fault) => return None,
            Under::Read(Source::ServiceWorker, lookups) => {
                Answer::Read(pictures.get_many(&lookups))
            }
            Under::Measure(Source::ServiceWorker) => Answer::Measured(pictures.usage()),
            Under::Erase(Source::ServiceWorker) => Answer::Erased(pictures.clear()),
            Under::Erase(Source::LocalStorage) => Answer::Erased(local.clear()),
            Under::Write(layer, ops, now, room) => {
                Answer::Written(self.write(facts, at, layer, &ops, now, room)?)
            }
            _ if hangs(durable.fault) => return None,
            Under::Read(_, lookups) => Answer::Read(durable.get_many(&lookups)),
            Under::Documents(keys) => Answer::Documents(durable.read(&keys)),
            Under::Measure(_) => Answer::Measured(durable.usage()),
            Under::Erase(_) => Answer::Erased(durable.clear()),
        })
    }

    /// None: the layer hangs.
    fn write(
        &mut self,
        facts: &Facts<B>,
        at: Duration,
        layer: Source,
        ops: &[Op<B>],
        now: Timestamp,
        room: Room,
    ) -> Option<Result<Written, LayerError>> {
        self.suffer(facts, at);
        let Layers { local, durable, pictures } = &mut self.layers;
        let fault = match layer {
            Source::LocalStorage => local.fault,
            Source::ServiceWorker => pictures.fault,
            _ => durable.fault,
        };
        (fault != Fault::Hanging).then(|| match layer {
            Source::LocalStorage => {
                let written = local.apply(ops, now);
                local.changes.clear();
                written
            }
            Source::ServiceWorker => pictures.apply(ops, room),
            _ => durable.apply(ops, now, room),
        })
    }

    /// The layers fare as they did at `at`.
    fn suffer(&mut self, facts: &Facts<B>, at: Duration) {
        let when = When { document: self.document, running: at };
        let Layers { local, durable, pictures } = &mut self.layers;
        local.fault = facts.fault(Source::LocalStorage, when);
        durable.fault = facts.fault(Source::IndexedDb, when);
        pictures.fault = facts.fault(Source::ServiceWorker, when);
    }
}
