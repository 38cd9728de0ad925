//! The two clocks, and what can be told from them.

use std::time::Duration;

use super::{Core, person::Person};
use crate::cache::{
    clock::{Moment, Now, Timestamp, micros},
    entry::Bytes,
};

/// The time of the last call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    running: Moment,
    wall: Timestamp,
    /// When the core asked to be called.
    wake: Option<Moment>,
}

impl Clocks {
    pub(super) fn new(now: Now) -> Self {
        Self { running: Moment::of(now.running), wall: now.wall, wake: None }
    }

    pub(super) fn now(&self) -> Moment {
        self.running
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.wall
    }

    /// By how much wall minus running has moved since the last call.
    fn advance(&mut self, now: Now) -> Duration {
        let running = Moment::of(now.running).max(self.running);
        let passed = running.since(self.running);
        let expected = self.wall.0.saturating_add(millis(passed));
        let moved = Duration::from_millis(now.wall.0.abs_diff(expected));
        (self.running, self.wall) = (running, now.wall);
        moved
    }

    pub(super) fn sleep_until(&mut self, at: Duration) {
        self.wake = Some(Moment::of(at));
    }

    /// The time in which the page did not run though it was to be woken; zero if it is not
    /// noteworthy.
    pub(super) fn gap(&mut self, lateness: Duration) -> Duration {
        let gap = self.wake.take().map_or(Duration::ZERO, |wake| self.running.since(wake));
        if gap > lateness { gap } else { Duration::ZERO }
    }

    /// When the wall clock showed `checked_at`, on the running clock. What is still to come was
    /// never.
    pub(super) fn moment_of(&self, checked_at: Timestamp) -> Moment {
        match self.wall.age_of(checked_at) {
            Some(age) => self.running - age,
            None => Moment::NEVER,
        }
    }

    /// What the wall clock showed at `moment`, if it has not been set since.
    pub(super) fn wall_at(&self, moment: Moment) -> Timestamp {
        Timestamp(self.wall.0.saturating_sub(millis(self.running.since(moment))))
    }
}

fn millis(duration: Duration) -> u64 {
    micros(duration).unsigned_abs() / 1000
}

impl<B: Bytes> Core<B> {
    /// Takes note of the time. A machine that slept, or a clock that was set, is as a page that
    /// becomes visible.
    pub(super) fn tick(&mut self, now: Now) {
        let moved = self.time.advance(now);
        if moved > self.policy.clock_jump {
            self.look_again(moved);
        }
    }

    /// What rests is tried soon, and what is on screen and was checked a while ago is asked about.
    /// The running clock may have missed as much as `missed`.
    pub(super) fn look_again(&mut self, missed: Duration) {
        let old = self.time.now() - self.policy.recheck_after.saturating_sub(missed);
        let doubt = |person: &mut Person<B>| {
            if person.known.as_ref().is_none_or(|known| known.asked < old) {
                person.believe_from = person.believe_from.max(old);
            }
        };
        match missed.is_zero() {
            true => self.people.change_viewed(doubt),
            // What is looked at later is as old as what is looked at now.
            false => self.people.change_all(doubt),
        }
        let pages = super::fetched_documents::documents_mut(
            &mut self.friends,
            &mut self.feed,
            &mut self.profiles,
        );
        for doc in pages.filter(|doc| doc.kept.as_ref().is_none_or(|kept| kept.asked < old)) {
            doc.believe_from = doc.believe_from.max(old);
        }
        self.try_soon();
    }

    /// What rests after failures is tried within a second.
    pub(super) fn try_soon(&mut self) {
        let now = self.time.now();
        let soon = now + self.jitter.up_to(self.policy.soon);
        self.server.end_by(soon);
        self.kinds.iter_mut().for_each(|pause| pause.end_by(soon));
        self.live.pause.end_by(soon);
        self.people.change_viewed(|person| {
            person.targets.iter_mut().for_each(|target| target.pause.end_by(soon));
        });
        let docs = super::fetched_documents::documents_mut(
            &mut self.friends,
            &mut self.feed,
            &mut self.profiles,
        );
        for doc in docs.chain([&mut self.session.asked, &mut self.session.ending]) {
            doc.pause.end_by(soon);
        }
    }
}
