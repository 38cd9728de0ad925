//! Looking at pictures: the first frame, and leaving.

use miniature_api::UserId;

use super::{
    Core,
    event::Start,
    layers::ASKED,
    person::{Decodes, Known, Learnt, Person},
    targets::Looked,
    view::{Status, View},
    viewers::{Viewer, ViewerId, Waiting, load_of},
};
use crate::cache::{
    clock::Now,
    entry::{Bytes, CheckedRecord, Found},
    event::{Answer, CacheEvent, Outcome, Step},
    key::{RenditionKey, Source, Wanted},
    layer::LayerError,
};

/// What a layer had of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Had {
    rendition: Option<RenditionKey>,
    record: bool,
}

impl Had {
    pub(super) fn of<B>(found: &Found<B>) -> Self {
        let rendition = found.rendition.as_ref().map(|rendition| rendition.key);
        Self { rendition, record: found.record.is_some() }
    }
}

impl<B: Bytes> Core<B> {
    /// Whether LocalStorage is to be read for `user` before [`Self::open`].
    pub fn looks(&self, user: &UserId) -> bool {
        self.account.is_some()
            && self.layers.local.allows(self.time.now())
            && self.people.get(user).is_none_or(|person| !person.looked)
    }

    /// Starts watching a picture, with what LocalStorage said if [`Self::looks`] asked for it. The
    /// view is for the first frame.
    pub fn open(
        &mut self,
        wanted: Wanted,
        found: Option<Result<Found<B>, LayerError>>,
        now: Now,
    ) -> (ViewerId, View<B>) {
        self.tick(now);
        let user = wanted.user.clone();
        let id = ViewerId(self.people.next_number());
        let in_memory = self.people.get(&user).is_some_and(|person| person.answers(wanted.size));
        let mut path = vec![self.memory_says(&wanted)];
        let looked = found.is_some();
        if let Some(found) = found {
            path.push(self.look(&wanted, found));
        }
        let (number, confirming) = (self.people.next_number(), self.flights.that_confirms(&user));
        self.people.change(&user, |person| {
            person.keep = true;
            person.want(wanted.size).admit(id, number);
            if let Some(confirming) = confirming {
                person.is_told_by(confirming);
            }
        });
        self.people.use_now(&user);
        self.writes.want(&user, self.time.now());
        let from = match in_memory || !looked {
            true => Source::Memory,
            false => Source::LocalStorage,
        };
        self.admit_viewer(id, wanted, from, path)
    }

    /// Takes in what LocalStorage holds of the user.
    fn look(&mut self, wanted: &Wanted, found: Result<Found<B>, LayerError>) -> Step {
        let user = &wanted.user;
        self.people.change(user, |person| person.looked = true);
        match found {
            Ok(found) => {
                self.layer_succeeded(Source::LocalStorage);
                let had = Had::of(&found);
                self.take_in(user, found, Source::LocalStorage);
                self.at_once(Source::LocalStorage, wanted, had)
            }
            Err(error) => {
                self.layer_failed(Source::LocalStorage, error);
                Step { layer: Source::LocalStorage, answer: error.into(), took_ms: 0.0 }
            }
        }
    }

    fn memory_says(&self, wanted: &Wanted) -> Step {
        let person = self.people.get(&wanted.user);
        let had = Had { rendition: person.and_then(Person::largest), record: person.is_some() };
        self.at_once(Source::Memory, wanted, had)
    }

    /// One layer's answer within the call.
    fn at_once(&self, layer: Source, wanted: &Wanted, had: Had) -> Step {
        Step { layer, answer: self.said(wanted, had), took_ms: 0.0 }
    }

    /// What a layer has said that had this, now that it was taken in.
    pub(super) fn said(&self, wanted: &Wanted, had: Had) -> Answer {
        let Some(person) = self.people.get(&wanted.user) else { return Answer::Absent };
        let fits =
            |held: RenditionKey| Some(held.image) == person.image() && held.size >= wanted.size;
        let is_its = match person.image() {
            Some(_) => had.rendition.is_some_and(fits),
            None => had.record,
        };
        match person.answers(wanted.size) && is_its {
            true if self.is_fresh(&wanted.user) => Answer::Hit,
            true => Answer::Stale,
            false => match had.rendition {
                Some(held) if Some(held.image) != person.image() => Answer::OtherRevision,
                Some(held) if held.size < wanted.size => Answer::TooSmall,
                Some(_) | None => Answer::Absent,
            },
        }
    }

    /// Counts what was settled within the call; the rest waits.
    fn admit_viewer(
        &mut self,
        id: ViewerId,
        wanted: Wanted,
        from: Source,
        path: Vec<Step>,
    ) -> (ViewerId, View<B>) {
        let mut view = self.view_of(&wanted);
        let key = view.shown.as_ref().map(|shown| shown.rendition.key);
        let (source, page_took) = match key.filter(|_| from == Source::Memory) {
            Some(key) => self.first_look(&wanted.user, key),
            None => (from, None),
        };
        if let Some(shown) = &mut view.shown {
            shown.source = source;
        }
        let since = self.time.now();
        let mut load = None;
        if view.status == Status::Settled {
            let outcome = match view.shown {
                Some(_) => Outcome::Shown(source),
                None => Outcome::Negative(from),
            };
            let took = page_took.unwrap_or_default();
            let times = (since - took, took);
            self.note(CacheEvent::Loaded(load_of(&wanted, outcome, times, &view, path)));
            if !self.is_fresh(&wanted.user) {
                self.note(CacheEvent::Stale);
            }
        } else {
            let waits = |viewer: &ViewerId| {
                *viewer != id && self.viewers.get(viewer).is_some_and(|v| v.load.is_some())
            };
            let target = self.people.get(&wanted.user).and_then(|p| p.target(wanted.size));
            if target.is_some_and(|target| target.viewers.iter().any(waits)) {
                self.note(CacheEvent::Coalesced);
            }
            load = Some(Waiting { since, path, failed: false });
        }
        let opened = key.map(|key| (key, source));
        let handed = view.handed();
        // Those who look already have not seen more than was handed out before.
        self.people.change(&wanted.user, |person| {
            person.want(wanted.size).handed.get_or_insert(handed);
        });
        self.viewers.insert(id, Viewer { wanted, opened, load });
        (id, view)
    }

    /// The layer that gives a rendition to someone who looks now, and how long that took if the
    /// asking came before: memory, unless it came with a page and nobody has opened it.
    fn first_look(
        &mut self,
        user: &UserId,
        key: RenditionKey,
    ) -> (Source, Option<std::time::Duration>) {
        let first = self.people.change_known(user, |person| {
            let held = person.held_mut(key)?;
            held.unseen.take().map(|took| (held.source, Some(took)))
        });
        first.flatten().unwrap_or((Source::Memory, None))
    }

    /// What is to be shown to a viewer now. The source is the layer that gave it to this viewer.
    /// After a change of account: nothing.
    pub fn view(&self, viewer: ViewerId) -> View<B> {
        let Some(viewer) = self.viewers.get(&viewer) else {
            return View::bare(Status::Settled);
        };
        let mut view = self.view_of(&viewer.wanted);
        if let (Some(shown), Some((key, source))) = (&mut view.shown, viewer.opened)
            && shown.rendition.key == key
        {
            shown.source = source;
        }
        view
    }

    /// What is known of `wanted`, whoever looks.
    pub(super) fn view_of(&self, wanted: &Wanted) -> View<B> {
        if let Some(view) = self.proposed_view(&wanted.user) {
            return view;
        }
        let Some(person) = self.people.get(&wanted.user) else {
            return View::bare(Status::Loading);
        };
        let settled = person.answers(wanted.size);
        let under_way = |target: &super::targets::Target| {
            target.reading.is_some() || person.is_fetching(target.size)
        };
        let target = person.target(wanted.size).filter(|target| !under_way(target));
        let error = target.and_then(|target| target.failure);
        let status = match error {
            _ if settled => Status::Settled,
            Some(error) => Status::Failed(error),
            None => Status::Loading,
        };
        let shown = person.shown(wanted.size);
        let comes = shown.is_none() && person.is_fetching(wanted.size);
        let tint = comes.then(|| person.tint()).flatten();
        View { shown, status, error, revision: person.revision(), tint }
    }

    pub(super) fn is_fresh(&self, user: &UserId) -> bool {
        let now = self.time.now();
        self.people.get(user).is_some_and(|person| person.is_fresh(self.lineage, now))
    }

    /// A viewer looks no longer.
    pub(super) fn leave(&mut self, viewer: ViewerId) {
        let Some(Viewer { wanted, .. }) = self.viewers.remove(&viewer) else {
            return;
        };
        self.people.use_now(&wanted.user);
        self.people.change(&wanted.user, |person| {
            if let Some(target) = person.target_mut(wanted.size) {
                target.dismiss(viewer);
                if !target.has_viewers() {
                    target.handed = None;
                }
            }
        });
    }

    /// The page of these viewers is hidden. They keep what is in memory and hear what changes, and
    /// nothing is read or asked for them. A load that has not ended is not counted, as if they had left.
    pub(super) fn hide_viewers(&mut self, viewers: Vec<ViewerId>) {
        for id in viewers {
            let Some(viewer) = self.viewers.get_mut(&id) else { continue };
            viewer.load = None;
            let Wanted { user, size } = viewer.wanted.clone();
            self.people.use_now(&user);
            self.people.change(&user, |person| {
                let target = person.want(size);
                target.dismiss(id);
                target.hidden.push(id);
            });
        }
    }

    /// The page of these viewers is shown again. What they have is not a load; what they lack is one.
    pub(super) fn show_viewers(&mut self, viewers: Vec<ViewerId>) {
        for id in viewers {
            let Some(wanted) = self.viewers.get(&id).map(|viewer| viewer.wanted.clone()) else {
                continue;
            };
            let target = self.people.get(&wanted.user).and_then(|p| p.target(wanted.size));
            if target.is_none_or(|target| !target.hidden.contains(&id)) {
                continue;
            }
            let number = self.people.next_number();
            self.people.change(&wanted.user, |person| person.want(wanted.size).admit(id, number));
            self.people.use_now(&wanted.user);
            self.writes.want(&wanted.user, self.time.now());
            let lacks = self.view_of(&wanted).status != Status::Settled;
            let path = vec![self.memory_says(&wanted)];
            if let Some(viewer) = self.viewers.get_mut(&id).filter(|_| lacks) {
                viewer.load = Some(Waiting { since: self.time.now(), path, failed: false });
            }
        }
    }

    /// Takes in what a layer found.
    pub(super) fn take_in(&mut self, user: &UserId, found: Found<B>, layer: Source) {
        let Found { record, rendition, used_at } = found;
        let record = record.filter(|checked| checked.record.user_id == *user);
        if let Some(lineage) = record.as_ref().and_then(|checked| checked.lineage) {
            self.see_lineage(lineage);
        }
        let stored = record.as_ref().map(|checked| (checked.version(), checked.checked_at));
        if let Some(checked) = record {
            self.learn_stored(checked, layer);
        }
        self.people.change(user, |person| {
            if layer == Source::ServiceWorker {
                // A picture that the worker put there was not decoded by anybody.
                let found = rendition.into_iter();
                return found.for_each(|r| person.keep_bytes(r, layer, Decodes::Unknown(0)));
            }
            let row = person.stored_mut(layer);
            row.seen = true;
            row.record = stored;
            row.used_at = used_at;
            row.renditions = rendition.iter().map(|rendition| rendition.key).collect();
            if let Some(rendition) = rendition {
                person.keep_bytes(rendition, layer, Decodes::Yes);
            }
        });
        self.writes.want(user, self.time.now());
    }

    /// Learns a record that a layer holds: it is believed for the layer's lifetime since it was
    /// checked, and no longer than memory believes anything. Nothing is believed that was checked
    /// in the future, or before rows are to be believed.
    pub(super) fn learn_stored(&mut self, checked: CheckedRecord, layer: Source) -> Learnt {
        let now = self.time.now();
        let asked = match checked.checked_at >= self.believe_from {
            true => self.time.moment_of(checked.checked_at),
            false => crate::cache::clock::Moment::NEVER,
        };
        let dies = asked + self.policy.fresh_for(layer);
        let fresh_until = dies.min(now + self.policy.memory_fresh_for);
        self.learn(Known { checked, asked, fresh_until, heard: false })
    }

    /// Learns a record, wherever it is from.
    pub(super) fn learn(&mut self, known: Known) -> Learnt {
        let user = known.checked.record.user_id.clone();
        let learnt = self.people.change(&user, |person| person.learn(known));
        if learnt != Learnt::Older {
            self.writes.want(&user, self.time.now());
        }
        if self.people.get(&user).is_some_and(Person::has_unwanted) {
            self.writes.hurry();
        }
        learnt
    }

    /// Begins an account, or ends it: nothing of before stays in memory.
    pub(super) fn begin_session(&mut self, start: Option<Start>) {
        let (before, account) = (self.account.take(), start.as_ref().map(|s| s.account.clone()));
        if before.is_some() {
            self.drop_account();
        } else {
            self.forget_all();
        }
        if let Some(before) = before.filter(|before| Some(before) != account.as_ref()) {
            self.erase_account(&before);
        }
        if let Some(start) = start {
            self.lineage = start.lineage;
            let wall = self.time.wall();
            self.believe_from = start.believe_from.min(wall);
            if start.believe_from > wall {
                self.writes.believe_from(wall, self.time.now()); // by a clock that ran ahead
            }
            self.live.begin(start.live);
            self.has_picture_cache = start.has_picture_cache;
            let first = start.friends.map(|document| self.kept(document));
            self.friends = super::Friends::new(first);
            let first = start.feed.map(|document| self.kept(document));
            self.feed = super::Feed::new(first);
            for (id, account, layer) in &self.erasures {
                if *account == start.account {
                    self.layers.of_mut(*layer).erasing = Some(*id);
                }
            }
            self.account = Some(start.account);
            self.erase_now();
        }
    }

    pub(super) fn reset_looked(&mut self) {
        self.people.change_all(|person| {
            for target in &mut person.targets {
                ASKED.into_iter().for_each(|layer| target.note_looked(layer, Looked::Absent));
            }
        });
    }
}
