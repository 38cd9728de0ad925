//! Records that end soon are confirmed before they do: a batch at a time, behind all that is wanted.

use miniature_api::{BatchUser, Lineage, UserId};

use super::{
    Core, Effect, Kind, Request,
    effect::EffectId,
    flights::{Item, Task},
    pending::BOTH,
};
use crate::cache::{
    clock::{Moment, Timestamp},
    entry::Bytes,
    event::CacheEvent,
};

/// What is asked for anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Renewal {
    /// Those to come, the next one last.
    waiting: Vec<BatchUser>,
    woken: bool,
    /// The last request, and whom it is about.
    pub(super) flight: Option<EffectId>,
    asked: Vec<UserId>,
    /// Of how many the server has said what is so.
    people: usize,
    failed: bool,
}

impl<B: Bytes> Core<B> {
    /// Since when, and until when, rows of IndexedDB were checked that do not end soon.
    pub fn lasting(&self) -> (Timestamp, Timestamp) {
        let since = self.time.wall_at(self.lasts_since());
        (since.max(self.believe_from), self.time.wall())
    }

    fn lasts_since(&self) -> Moment {
        self.time.now() + self.policy.sync_ahead - self.policy.indexed_db_fresh_for
    }

    /// The latest lineage seen.
    pub fn lineage(&self) -> Option<Lineage> {
        self.lineage
    }

    /// Begins with these users, unless it has begun.
    #[inline(never)]
    pub(super) fn begin_renewal(&mut self, waiting: Vec<BatchUser>, woken: bool) {
        let new = Renewal { waiting, ..Renewal::default() };
        self.renewal.get_or_insert_with(|| Box::new(new)).woken |= woken;
    }

    /// The next request, once the rows of the last one are written and nothing else is under way.
    #[inline(never)]
    pub(super) fn plan_renewal(&mut self) {
        let Some(mut renewal) = self.renewal.take() else { return };
        let is_awaited = renewal.flight.is_some_and(|id| self.flights.is_request(id));
        let is_writing = BOTH.iter().any(|layer| self.layers.of(*layer).writing.is_some());
        let is_owed = renewal.asked.iter().any(|user| self.writes.owes(user));
        if is_awaited || is_writing || is_owed {
            self.renewal = Some(renewal);
            return;
        }
        let asked = std::mem::take(&mut renewal.asked);
        let people = asked.iter().filter(|user| self.is_renewed(user)).count();
        renewal.people += people;
        renewal.failed = people == 0 && !asked.is_empty();
        self.forget_passing(&asked);
        let goes_on = self.may_renew(&renewal);
        let is_paused = self.pause_of(Kind::Pictures) > self.time.now();
        let is_busy = is_paused || self.flights.requests() > 0 || self.people.is_waiting();
        if goes_on && !is_busy {
            self.ask_about_next(&mut renewal);
        }
        let is_over = renewal.asked.is_empty() && !(goes_on && is_busy);
        self.renewal = Some(renewal);
        if is_over {
            self.end_renewal();
        }
    }

    fn may_renew(&self, renewal: &Renewal) -> bool {
        let is_seen = self.visible || renewal.woken;
        let is_open = self.account.is_some() && self.layers.durable.allows(self.time.now());
        let is_left = !renewal.failed && !renewal.waiting.is_empty();
        is_left && self.offline.is_none() && is_seen && is_open
    }

    /// Whether the server has confirmed it to this document, which writes it.
    fn is_renewed(&self, user: &UserId) -> bool {
        self.people.get(user).is_some_and(|person| match &person.known {
            Some(known) => known.heard && known.asked >= self.lasts_since(),
            None => person.gone.is_some(),
        })
    }

    fn ask_about_next(&mut self, renewal: &mut Renewal) {
        let (now, size, lineage) = (self.time.now(), self.policy.preview_up_to, self.lineage);
        let (mut users, mut items) = (Vec::new(), Vec::new());
        while users.len() < self.policy.batch_users
            && let Some(asked) = renewal.waiting.pop()
        {
            let user = asked.user_id.clone();
            if self.is_renewed(&user) {
                continue;
            }
            if self.people.get(&user).is_none() {
                self.people.change(&user, |person| person.passing = true);
            }
            renewal.asked.push(user.clone());
            items.push(Item { user, held: asked.held.is_some() });
            users.push(asked);
        }
        if users.is_empty() {
            return;
        }
        let id = self.flights.depart(Task::Pictures { size, items }, now);
        renewal.flight = Some(id);
        self.note(CacheEvent::Requested);
        self.queue.push_back(Effect::Fetch {
            id,
            request: Request::Pictures { size, users },
            lineage,
        });
    }

    fn forget_passing(&mut self, users: &[UserId]) {
        for user in users {
            if self.people.get(user).is_some_and(|person| person.is_passing()) {
                self.people.forget(user);
            }
        }
    }

    /// Nothing more is asked for anew.
    #[inline(never)]
    pub(super) fn end_renewal(&mut self) {
        let Some(renewal) = self.renewal.take() else { return };
        if let Some(id) = renewal.flight.filter(|id| self.flights.is_request(*id)) {
            self.cancel(id);
        }
        self.forget_passing(&renewal.asked);
        let Renewal { people, waiting, asked, failed, .. } = *renewal;
        let complete = !failed && waiting.is_empty() && asked.is_empty();
        self.queue.push_back(Effect::Renewed { people, complete });
    }
}
