//! What must be so after every event.

use super::super::{
    Core, Status,
    documents::Next,
    person::Person,
    targets::Target,
    testing::{Blob, good},
};
use super::{Page, Simulation};
use crate::cache::{clock::Moment, core::documents::Surroundings, document::DocumentKey};

impl Simulation {
    pub(super) fn check(&mut self) {
        for page in &mut self.pages {
            page.check_views();
            check_memory(&page.doc.core);
        }
        self.check_layers();
    }

    /// After a turn nothing is left to be found.
    pub(super) fn check_settled(&self, nth: usize) {
        self.pages[nth].check_requests();
        let core = &self.pages[nth].doc.core;
        check_wanted(core);
        let mut again = core.clone();
        again.people.touch_all();
        let now = self.pages[nth].doc.now();
        let more = again.poll(now);
        assert!(more.is_none(), "a plan over everybody finds more: {more:?}");
        let wake = core.wake().at.saturating_sub(now.running);
        assert!(wake <= core.policy.longest_sleep, "wakes in {wake:?}");
    }

    /// Laws 9 and 10.
    fn check_layers(&self) {
        let world = self.world.borrow();
        assert!(world.durable.is_sound(), "law 9: stored {:?}", world.durable.renditions);
        for row in world.local.rows.values() {
            if let Some(preview) = &row.preview {
                assert_eq!(*preview, good(preview.key), "law 9: stored");
            }
        }
        let tries = 2 * self.documents_opened;
        assert!(world.durable.full_in_a_row <= tries, "law 10: a full disk, again and again");
        assert!(world.local.full_in_a_row <= tries, "law 10: a full disk, again and again");
    }
}

impl Page {
    /// Laws 1, 3 and 5: what is known only grows, and what is shown stays until something newer
    /// comes.
    fn check_views(&mut self) {
        for seen in &mut self.viewers {
            let view = self.doc.core.view(seen.id);
            let person = self.doc.core.people.get(&seen.wanted.user);
            let version = person.and_then(Person::version);
            let gone = person.is_some_and(|person| person.gone.is_some());
            if let (Some(now), Some(before)) = (version, seen.version) {
                assert!(now >= before, "law 1: {} went back to {now:?}", seen.wanted.user);
            }
            seen.version = if gone { None } else { version.or(seen.version) };
            if let Some(shown) = &view.shown {
                let image = shown.rendition.image();
                let theirs = image.to_string()[..12] == seen.prefix();
                assert!(theirs, "law 1: {} is shown as someone else", seen.wanted.user);
                let known = person.and_then(Person::image);
                let settled = view.status == Status::Settled;
                assert!(!settled || known == Some(image), "law 1: an old image settled");
            }
            let removed =
                gone || (version > seen.shown_at && person.is_some_and(|p| p.image().is_none()));
            let was_good = seen.shown.as_ref().is_some_and(|shown| shown.content.decodes);
            let blank = was_good && view.shown.is_none();
            assert!(!blank || removed || seen.broken, "law 5: {} went blank", seen.wanted.user);
            seen.shown = view.shown.map(|shown| shown.rendition);
            (seen.shown_at, seen.broken) = (version, false);
        }
    }

    /// Law 7: three requests at once, 50 users in each, and for somebody.
    fn check_requests(&self) {
        use super::super::flights::Task;
        let core = &self.doc.core;
        assert!(core.flights.requests() <= core.policy.requests_at_once, "law 7: requests at once");
        for (_, flight) in core.flights.awaited() {
            let Task::Pictures { size, items } = &flight.task else {
                continue;
            };
            assert!(items.len() <= core.policy.batch_users, "law 7: a batch");
            let wanted = items.iter().any(|item| {
                let target = core.people.get(&item.user).and_then(|person| person.target(*size));
                target.is_some_and(Target::is_wanted)
            });
            assert!(wanted, "law 7: nobody waits for {items:?}");
        }
    }
}

/// Law 10, and that what is summed up is what is there.
fn check_memory(core: &Core<Blob>) {
    let usage = core.people.usage();
    let (entries, bytes) = core
        .people
        .iter()
        .fold((0, 0), |(entries, bytes), (_, person)| (entries + 1, bytes + person.bytes()));
    assert_eq!((usage.entries, usage.bytes), (entries, bytes), "the sum of memory");
    assert!(entries <= core.policy.memory.entries + 20, "law 10: memory holds {entries}");
}

/// Whatever is wanted and not there is in flight, or waits for a place behind something in flight,
/// or has a time at which it is tried again, no further away than the table allows.
fn check_wanted(core: &Core<Blob>) {
    let now = core.time.now();
    for (user, person) in core.people.iter() {
        for target in person.targets.iter().filter(|target| target.is_wanted()) {
            let lacks = !person.answers(target.size);
            let stale = target.is_viewed() && !person.is_fresh(core.lineage, now);
            if lacks || stale {
                let comes = comes(core, person, target, lacks);
                assert!(comes, "law 14: {user} at {} waits for nothing: {target:?}", target.size);
            }
            let awaited = |id| core.flights.awaited().any(|(other, _)| other == id);
            assert!(target.reading.is_none_or(awaited), "a read that nobody makes");
            assert!(target.fetching.is_none_or(|f| awaited(f.id)), "a request that nobody makes");
        }
    }
    check_documents(core, now);
}

/// Of one user all sizes are asked about together: what brings one confirms the others.
fn comes(core: &Core<Blob>, person: &Person<Blob>, target: &Target, lacks: bool) -> bool {
    let now = core.time.now();
    let longest = core.policy.memory_fresh_for.max(core.policy.longest_retry_after);
    let timed = |moment: Moment| moment > now && moment <= now + longest;
    let behind = core.flights.requests() > 0 || timed(core.pause_of(super::super::Kind::Pictures));
    let queued = person.targets.iter().any(|target| target.queued.is_some()) && behind;
    let hidden = !core.visible && (!lacks || !person.held.is_empty() || target.failure.is_some());
    let reading = person.targets.iter().any(|target| target.reading.is_some());
    let under_way = reading || person.is_confirming();
    under_way || queued || person.due.is_some_and(timed) || hidden
}

fn check_documents(core: &Core<Blob>, now: Moment) {
    if core.account.is_some() {
        let handed = core.friends.handed.as_ref();
        assert_eq!(handed, Some(&core.friends.view()), "law 14: the list changed and nobody heard");
    }
    let durable = core.layers.durable.allows(now);
    let around = Surroundings { now, lineage: core.lineage, durable, hidden: !core.visible };
    let pages = core.friends.find_wanted().into_iter().filter_map(|at| core.friends.get(at));
    let profiles =
        core.profiles.iter().map(|(_, profile)| profile).filter(|profile| profile.viewers > 0);
    for doc in pages.chain(profiles.map(|profile| &profile.doc)) {
        let kind = match doc.key {
            DocumentKey::Friends(_) => super::super::Kind::Friends,
            DocumentKey::Profile(_) => super::super::Kind::Profile,
        };
        let waits = core.flights.requests() > 0 || core.pause_of(kind) > now;
        match doc.next(around) {
            Next::Nothing(_) => {}
            Next::Read => panic!("law 14: {:?} could be read", doc.key),
            Next::Fetch => assert!(waits, "law 14: {:?} waits for nothing", doc.key),
        }
    }
}
