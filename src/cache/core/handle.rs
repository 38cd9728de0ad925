//! What events do to the facts. Nothing is decided here.

use miniature_api::{Lineage, Record, Size, UserId};

use super::{
    Core, Event, Friends, Kept, Request,
    effect::{Effect, EffectId, Topic},
    flights::{Flights, Task},
    layers::{LASTING, Layers},
    pending::Writes,
    people::People,
    person::{Decodes, Known, Learnt, Person, Stored},
    targets::Looked,
    viewers::Viewers,
};
use crate::cache::{
    clock::{Moment, Now},
    document::Document,
    entry::{Bytes, CheckedRecord},
    key::{RenditionKey, Source},
    layer::LayerError,
};

impl<B: Bytes> Core<B> {
    /// Records what happened at `now`. Decides nothing: that does [`Self::poll`].
    pub fn handle(&mut self, event: Event<B>, now: Now) {
        self.tick(now);
        match event {
            Event::Left(viewer) => self.leave(viewer),
            Event::ViewersHidden(viewers) => self.hide_viewers(viewers),
            Event::ViewersShown(viewers) => self.show_viewers(viewers),
            Event::Prefetch(users, size) => self.prefetch(&users, size),
            Event::Renew { users, woken } => self.begin_renewal(users, woken),
            Event::Invalidate(user) => self.invalidate(&user),
            Event::Retry => self.retry(),
            Event::Broken(user, key) => self.broken(&user, key),
            Event::WritesWait(wait) => {
                self.writes_wait = wait;
                self.people.touch_all();
            }
            Event::Painted => self.writes.put_off(self.time.now()),
            Event::FriendsViewed(view) => self.friends.look_at(view),
            Event::FeedViewed(rows) => self.feed.look_at(rows),
            Event::FeedHidden => self.feed.hide(),
            Event::NewestPosts => self.feed.show_newest(),
            Event::Posted { account, post, lineage } => self.posted(&account, post, lineage),
            Event::ProfileViewed(user) => self.view_profile(user),
            Event::ProfileLeft(user) => self.leave_profile(&user),
            Event::AskSession => self.ask_session(),
            Event::News(records, lineage) => self.hear(records, lineage),
            Event::Proposed(rendition) => self.propose(rendition),
            Event::Withdrawn => self.withdraw(),
            Event::Taken { account, record, lineage, sent } => {
                self.taken(&account, record, lineage, Moment::of(sent));
            }
            Event::Described { account, profile, lineage } => {
                self.described(&account, profile, lineage);
            }
            Event::Clear => self.clear(),
            Event::Session(start) => self.begin_session(start.map(|start| *start)),
            Event::Identity(held) => self.identify(held),
            Event::SignedIn { epoch, account, marker } => self.signed_in(epoch, account, marker),
            Event::SignOut => self.sign_out(),
            Event::Online(online) => self.set_online(online),
            Event::Visible(visible) => self.set_visible(visible),
            Event::StorageChanged(change) => self.storage_changed(change),
            Event::Painting { has_locks } => self.live_ready(has_locks),
            Event::Frozen(frozen) => self.set_frozen(frozen),
            Event::Locked(id) => self.lock_granted(id),
            Event::Streamed(id, account, event) => self.streamed(id, &account, event),
            Event::Overheard(event) => self.overheard(event),
            Event::LockAwaited => self.lock_awaited(),
            Event::MeasureUsage => self.measure = true,
            Event::StorageUsed { used, quota } => self.storage_used(used, quota),
            Event::Progressed(id, bytes) => {
                self.flights.progress(id, bytes, self.time.now(), &self.policy);
            }
            Event::Arriving(id, part) => self.arriving(id, part),
            Event::Answer(id, answer) => self.answered(id, answer),
        }
    }

    fn prefetch(&mut self, users: &[UserId], size: Size) {
        if self.account.is_none() || !self.policy.prefetch {
            return;
        }
        for user in users {
            if self.people.get(user).is_some_and(|person| person.answers(size)) {
                continue;
            }
            let number = self.people.next_number();
            self.people.change(user, |person| {
                person.keep = true;
                let target = person.want(size);
                if !target.is_wanted() {
                    (target.wanted, target.prefetch) = (number, true);
                }
            });
            self.people.use_now(user);
        }
    }

    fn invalidate(&mut self, user: &UserId) {
        let now = self.time.now();
        self.people.change(user, |person| {
            person.believe_from = now;
            person.targets.iter_mut().for_each(|target| target.retry(now));
        });
        if let Some(profile) = self.profile_mut(user) {
            profile.doc.believe_from = now;
        }
        self.writes.expire(user, now);
    }

    fn retry(&mut self) {
        let now = self.time.now();
        self.server.end_by_hand(now);
        self.kinds.iter_mut().for_each(|pause| pause.end_by_hand(now));
        self.people.change_viewed(|person| {
            person.targets.iter_mut().for_each(|target| target.retry(now));
        });
        let docs = super::fetched_documents::documents_mut(
            &mut self.friends,
            &mut self.feed,
            &mut self.profiles,
        );
        docs.chain([&mut self.session.asked, &mut self.session.ending])
            .for_each(|doc| doc.retry(now));
    }

    /// The browser cannot paint it: it goes from every layer, and is asked for anew, some times.
    fn broken(&mut self, user: &UserId, key: RenditionKey) {
        let (now, policy, jitter) = (self.time.now(), &self.policy, &mut self.jitter);
        self.people.change_known(user, |person| {
            person.held.retain(|held| held.rendition.key != key);
            for layer in LASTING {
                person.stored_mut(layer).renditions.retain(|stored| *stored != key);
            }
            for target in person.targets.iter_mut().filter(|target| target.size <= key.size) {
                // What this page put there, it would find there.
                target.note_looked(Source::ServiceWorker, Looked::Absent);
                target.refuse(now, now, policy, jitter);
            }
        });
        self.writes.discard(user, key, now);
    }

    /// Learns records that came without a request of ours, now.
    fn hear(&mut self, records: Vec<Record>, lineage: Lineage) {
        if self.lineage.is_some_and(|latest| lineage < latest) {
            return;
        }
        self.see_lineage(lineage);
        let now = self.time.now();
        for record in records {
            self.learn_from_server(record, lineage, now);
        }
    }

    /// Learns what the server said in an answer that was asked for at `asked`.
    pub(super) fn learn_from_server(
        &mut self,
        record: Record,
        lineage: Lineage,
        asked: Moment,
    ) -> Learnt {
        let checked_at = self.time.wall_at(asked);
        let fresh_until = asked + self.policy.memory_fresh_for;
        let checked = CheckedRecord { record, lineage: Some(lineage), checked_at };
        self.learn(Known { checked, asked, fresh_until, heard: true })
    }

    /// The latest lineage seen says which data is the newest.
    pub(super) fn see_lineage(&mut self, lineage: Lineage) {
        if self.lineage.is_none_or(|latest| latest < lineage) {
            (self.lineage, self.lineage_seen) = (Some(lineage), self.time.now());
            self.writes.note_lineage(lineage, self.time.now());
            self.people.touch_all();
        }
    }

    /// Forgets every fact about layers, and has them emptied. What is on screen stays.
    fn clear(&mut self) {
        if self.renewal.is_some() {
            self.end_renewal();
        }
        let stays = |task: &Task| task.goes_on() || matches!(task, Task::Erase(_) | Task::Accounts);
        for (id, task) in self.flights.awaited_ids() {
            if !stays(&task) {
                self.abandon(id);
            }
        }
        // What a layer says of before is not so any more.
        let flights = std::mem::take(&mut self.flights);
        self.flights = Flights::following(flights, stays);
        (self.writes, self.shedding) = (Writes::default(), None);
        let empty = || Stored { seen: true, ..Stored::default() };
        self.people.forget_idle();
        self.cancel_unwanted(None);
        self.people.change_all(|person: &mut Person<B>| {
            LASTING.into_iter().for_each(|layer| *person.stored_mut(layer) = empty());
            (person.keep, person.looked) = (false, true);
            for held in &mut person.held {
                if let Decodes::Asked(times) = held.decodes {
                    held.decodes = Decodes::Unknown(times);
                }
            }
        });
        self.reset_looked();
        self.layers.ledger = super::ledger::Ledger::default();
        for layer in LASTING {
            self.layers.of_mut(layer).forget();
        }
        if let Some(account) = self.account.clone() {
            self.erase_account(&account);
        }
    }

    /// Has a layer emptied of an account, signed in or not.
    pub(super) fn erase(&mut self, account: UserId, layer: Source) {
        let id = self.flights.depart(Task::Erase(layer), self.time.now());
        if self.account.as_ref() == Some(&account) {
            self.layers.of_mut(layer).erasing = Some(id);
        }
        self.erasures.push((id, account.clone(), layer));
        self.queue.push_back(Effect::Erase { id, account, layer });
    }

    /// What could not be erased of the account that signs in is erased before anything of it is
    /// read.
    pub(super) fn erase_now(&mut self) {
        let account = self.account.clone();
        let owed = |(_, other, _): &(Moment, UserId, Source)| Some(other) == account.as_ref();
        while let Some(at) = self.erase_again.iter().position(owed) {
            let (_, account, layer) = self.erase_again.swap_remove(at);
            self.erase(account, layer);
        }
    }

    /// Has everything of an account erased.
    pub(super) fn erase_account(&mut self, account: &UserId) {
        for layer in LASTING {
            self.erase(account.clone(), layer);
        }
        self.queue.push_back(Effect::AnnounceList(false));
    }

    /// Forgets all that is known, wanted and waited for.
    pub(super) fn forget_all(&mut self) {
        if self.renewal.is_some() {
            self.end_renewal();
        }
        // What was queued for one account is never carried out on the storages of another.
        self.queue.retain(|effect| match effect {
            Effect::Fetch { request, .. } => matches!(request, Request::SignOut(_)),
            Effect::Cancel(_)
            | Effect::Changed(_)
            | Effect::Erase { .. }
            | Effect::Note(_)
            | Effect::Report(_)
            | Effect::Renewed { .. }
            | Effect::AnnounceList(false) => true,
            _ => false,
        });
        let flights = std::mem::take(&mut self.flights);
        for (id, task) in flights.awaited_ids() {
            if task.goes_on() && !task.outlasts_session() {
                self.queue.push_back(Effect::Cancel(id));
            }
        }
        self.flights = Flights::following(flights, Task::outlasts_session);
        self.session.asked.under_way = None;
        let has_viewers = |(_, person): &(&UserId, &Person<B>)| person.has_viewers();
        let viewed = self.people.iter().filter(has_viewers);
        let viewed: Vec<Topic> = viewed.map(|(user, _)| Topic::Picture(user.clone())).collect();
        let profiles = self.profiles.iter().map(|(user, _)| Topic::Profile(user.clone()));
        let topics: Vec<Topic> =
            viewed.into_iter().chain(profiles).chain([Topic::Friends, Topic::Feed]).collect();
        self.queue.extend(topics.into_iter().map(Effect::Changed));
        self.people = People::default();
        self.proposal = None;
        self.viewers = Viewers::new();
        (self.friends, self.feed) = (Friends::new(None), super::Feed::new(None));
        self.profiles.clear();
        self.layers = Layers::default();
        self.writes = Writes::default();
        self.shedding = None;
        self.live.forget(self.time.now());
    }

    fn set_online(&mut self, online: bool) {
        self.offline = if online { None } else { self.offline.or(Some(self.time.now())) };
        if online {
            self.try_soon();
        }
    }

    fn set_visible(&mut self, visible: bool) {
        if visible && !self.visible {
            self.look_again(std::time::Duration::ZERO);
        }
        self.visible = visible;
        self.live.set_visible(visible, self.time.now());
        self.people.touch_all();
    }

    /// Another tab changed a row. Of what was there, what is there and what is known here, the
    /// latest is to stand.
    fn storage_changed(&mut self, change: super::StorageChange) {
        let super::StorageChange { user, of_record, old, new, line } = change;
        if self.layers.ledger.counted {
            self.layers.ledger.note(line);
        }
        if !of_record {
            return;
        }
        let Some(new) = new else {
            // Gone, or of another shape: whatever is written next does not meet a row.
            self.people.change_known(&user, |person| person.local = Stored::default());
            return;
        };
        let row = (new.version(), new.checked_at);
        let wall = self.time.wall();
        let is_later = |old: &CheckedRecord| new.supersedes(old, wall);
        if self.people.get(&user).is_none() && old.as_ref().is_none_or(is_later) {
            return;
        }
        for record in old.into_iter().chain([new]) {
            if let Some(lineage) = record.lineage {
                self.see_lineage(lineage);
            }
            self.learn_stored(record, Source::LocalStorage);
        }
        self.people.change(&user, |person| {
            (person.local.seen, person.local.record) = (true, Some(row));
        });
        self.writes.want(&user, self.time.now());
    }

    /// A layer answered. Those who did without it may ask it again.
    pub(super) fn layer_succeeded(&mut self, layer: Source) {
        if self.layers.of_mut(layer).succeeded() {
            self.people.touch_all();
        }
    }

    /// A layer could not do what was asked.
    pub(super) fn layer_failed(&mut self, layer: Source, error: LayerError) {
        self.layers.of_mut(layer).failed(error, self.time.now(), &self.policy);
        self.note(crate::cache::event::CacheEvent::LayerFailed(layer, error));
    }

    /// A document, with how long it is believed.
    pub(super) fn kept(&self, document: Document) -> Kept {
        let asked = match document.checked_at >= self.believe_from {
            true => self.time.moment_of(document.checked_at),
            false => Moment::NEVER,
        };
        Kept { fresh_until: asked + self.policy.document_fresh_for, asked, document }
    }

    /// Nobody waits for it any more.
    pub(super) fn cancel(&mut self, id: EffectId) {
        self.queue.push_back(Effect::Cancel(id));
        self.abandon(id);
    }

    /// What comes under this id changes nothing any more.
    fn abandon(&mut self, id: EffectId) {
        if let Some(flight) = self.flights.land(id) {
            self.release(id, &flight.task);
        }
    }

    /// Cancels the requests for this user, or for anybody, that nobody wants anything of any more.
    pub(super) fn cancel_unwanted(&mut self, user: Option<&UserId>) {
        let wants = |size: Size, user: &UserId| {
            self.people.get(user).and_then(|p| p.target(size)).is_some_and(|t| t.is_wanted())
        };
        let renewal = self.renewal.as_ref().and_then(|renewal| renewal.flight);
        let unwanted = self.flights.awaited().filter(|(id, flight)| match &flight.task {
            Task::Pictures { .. } if renewal == Some(*id) => false,
            Task::Pictures { size, items } => {
                let is_of = |user: &UserId| items.iter().any(|item| item.user == *user);
                // Where all that was asked for has arrived, its end is on its way.
                !items.is_empty()
                    && user.is_none_or(is_of)
                    && !items.iter().any(|item| wants(*size, &item.user))
            }
            Task::Rendition { user: of, key } => {
                user.is_none_or(|user| of == user) && !wants(key.size, of)
            }
            _ => false,
        });
        let unwanted: Vec<EffectId> = unwanted.map(|(id, _)| id).collect();
        unwanted.into_iter().for_each(|id| self.cancel(id));
    }
}
