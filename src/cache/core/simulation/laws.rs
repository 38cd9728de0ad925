//! What must be so after every event.

use miniature_api::{Friend, Size, UserId};

use super::super::{
    Core, SessionState, Status,
    documents::Next,
    person::Person,
    targets::Target,
    testing::{Blob, account, good},
};
use super::{Page, Simulation};
use crate::cache::{
    clock::Moment,
    core::documents::Surroundings,
    document::{Body, DocumentKey},
};

impl Simulation {
    pub(super) fn check(&mut self) {
        for page in &mut self.pages {
            page.check_views();
            page.check_session();
            check_memory(&page.doc.core);
        }
        self.check_layers();
        self.check_owners();
    }

    /// Laws 8 and 13: what layers hold was given to their account.
    fn check_owners(&self) {
        let world = self.world.borrow();
        let others = world.others.iter().map(|(user, (local, durable))| (user, local, durable));
        let ada = account();
        for (owner, local, durable) in others.chain([(&ada, &world.local, &world.durable)]) {
            for document in durable.documents.values().chain(local.first.values()) {
                let Body::Friends(page) = &document.body else {
                    continue;
                };
                for friend in &page.friends {
                    let theirs = is_of(owner, friend);
                    assert!(theirs, "laws 8, 13: {} is kept under {owner}", friend.name);
                }
            }
        }
    }

    /// Law 8: the session of the browser is the one of every document, and nothing is left of
    /// others.
    pub(super) fn check_accounts(&self) {
        let world = self.world.borrow();
        let of_cookie = world.server.sessions.user_of(world.jar.cookie);
        let has_marker = world.jar.identity.marker.is_some();
        let mut signed_in = Vec::new();
        for page in &self.pages {
            let state = page.doc.core.session().state;
            if let SessionState::SignedIn(user) = &state {
                signed_in.push(user.clone());
            }
            if let Some(user) = of_cookie.filter(|_| has_marker) {
                let theirs = SessionState::SignedIn(user.clone());
                assert_eq!(state, theirs, "law 8: the browser's session is {user}'s");
            }
            let known = !matches!(state, SessionState::Unknown | SessionState::Unreachable);
            assert!(known, "liveness: nobody says who is signed in");
        }
        for account in world.accounts() {
            assert!(signed_in.contains(&account), "law 8: {account} left something behind");
        }
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
        for pictures in world.pictures.values() {
            let is_sound =
                pictures.held.iter().all(|(key, content)| *content == good(*key).content);
            assert!(is_sound, "law 9: stored {:?}", pictures.held);
            let limit = self.policy.picture_cache.entries;
            assert!(pictures.held.len() <= limit, "law 10: {} pictures", pictures.held.len());
        }
        let tries = 2 * self.documents_opened;
        assert!(world.durable.full_in_a_row <= tries, "law 10: a full disk, again and again");
        assert!(world.local.full_in_a_row <= tries, "law 10: a full disk, again and again");
    }
}

impl Page {
    /// Laws 8 and 13: what is known was given to who is signed in; without anybody nothing is, and
    /// nothing is asked but who is.
    fn check_session(&self) {
        use super::super::flights::Task;
        let core = &self.doc.core;
        let state = core.session().state;
        match (&state, core.account()) {
            (SessionState::SignedIn(account), begun) => {
                assert_eq!(begun, Some(account), "law 8: another account's storages");
                for friend in core.friends().friends.iter() {
                    let theirs = is_of(account, friend);
                    assert!(theirs, "law 13: {} is shown to {account}", friend.name);
                }
            }
            (_, begun) => {
                assert_eq!(begun, None, "law 8: {state:?}");
                assert!(core.friends().friends.is_empty(), "law 8: {state:?}");
                for (_, flight) in core.flights.awaited() {
                    let may = matches!(
                        flight.task,
                        Task::Session | Task::SignOut | Task::Erase(_) | Task::Accounts
                    );
                    assert!(may, "law 8: {state:?} and {:?}", flight.task);
                }
            }
        }
    }

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
            // Of what changes twice in a turn, the first is never seen.
            let world = self.doc.world.borrow();
            let server = &world.server;
            let removed = gone || server.was_removed(&seen.wanted.user, seen.shown_at, version);
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
        let renewal = core.renewal.as_ref().and_then(|renewal| renewal.flight);
        for (id, flight) in core.flights.awaited() {
            let wants = |user: &UserId, size: Size| {
                let target = core.people.get(user).and_then(|person| person.target(size));
                target.is_some_and(wants)
            };
            match &flight.task {
                Task::Pictures { size, items } => {
                    assert!(items.len() <= core.policy.batch_users, "law 7: a batch");
                    let wanted = items.iter().any(|item| wants(&item.user, *size));
                    // Of one of which all has arrived, the end is on its way.
                    let stays = renewal == Some(id) || items.is_empty();
                    assert!(wanted || stays, "law 7: nobody waits for {items:?}");
                }
                Task::Rendition { user, key } => {
                    assert!(wants(user, key.size), "law 7: nobody waits for {user} at {key:?}");
                }
                _ => {}
            }
        }
    }
}

/// Whether a friend is of the account's list, as their name says that the server gives them. A profile
/// that was heard of has the same name for everybody.
fn is_of(account: &UserId, friend: &Friend) -> bool {
    match friend.name.split_once('/') {
        Some((owner, _)) => owner == account.as_str(),
        None => *account == self::account() || friend.name == friend.user_id.as_str(),
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
    let awaited = |id| core.flights.awaited().any(|(other, _)| other == id);
    for (user, person) in core.people.iter() {
        check_unwanted(user, person);
        let confirms = person.confirming.is_none_or(|(id, _)| awaited(id));
        assert!(confirms, "a confirmation of {user} that nobody makes");
        for target in person.targets.iter().filter(|target| target.is_wanted()) {
            let lacks = !person.answers(target.size);
            let stale = target.is_viewed() && !person.is_fresh(core.lineage, now);
            if lacks || stale {
                let comes = comes(core, person, target, lacks);
                assert!(comes, "law 14: {user} at {} waits for nothing: {target:?}", target.size);
            }
            assert!(target.reading.is_none_or(awaited), "a read that nobody makes");
            assert!(target.fetching.is_none_or(|f| awaited(f.id)), "a request that nobody makes");
        }
    }
    check_renewal(core);
    check_documents(core, now);
}

/// Somebody waits for its end. Who is in memory for nothing else has a row to be written.
fn check_renewal(core: &Core<Blob>) {
    let passing = core.people.iter().filter(|(_, person)| person.is_passing()).count();
    let Some(renewal) = &core.renewal else {
        return assert_eq!(passing, 0, "law 10: there is no renewal");
    };
    let writes = core.writes_due().is_some() || core.layers.durable.writing.is_some();
    let rests = core.pause_of(super::super::Kind::Pictures) > core.time.now();
    let comes = core.flights.len() > 0 || writes || rests;
    assert!(comes, "law 14: a sync waits for nothing: {renewal:?}");
    assert!(passing <= core.policy.batch_users, "law 10: {passing} people of a sync");
}

/// Whether somebody looks at it, on a page that is not hidden, or it is loaded ahead.
fn wants(target: &Target) -> bool {
    target.prefetch || !target.viewers.is_empty()
}

/// What nobody looks at, or only a hidden page has, is not asked for and wakes nobody.
fn check_unwanted(user: &UserId, person: &Person<Blob>) {
    let waits = person.targets.iter().find(|target| !wants(target) && target.queued.is_some());
    assert!(waits.is_none(), "law 7: nobody wants {user}: {waits:?}");
    let is_wanted = person.targets.iter().any(wants);
    assert!(is_wanted || person.due.is_none(), "law 7: {user} wakes the page for nobody");
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
    if core.account.is_none() {
        return;
    }
    let handed = core.friends.handed.as_ref();
    assert_eq!(handed, Some(&core.friends.view()), "law 14: the list changed and nobody heard");
    let durable = core.layers.durable.allows(now);
    let around = Surroundings { now, lineage: core.lineage, durable, hidden: !core.visible };
    let feed = &core.feed.chain;
    let pages = core.friends.find_wanted().into_iter().filter_map(|at| core.friends.get(at));
    let pages = pages.chain(feed.find_wanted().into_iter().filter_map(|at| feed.get(at)));
    if let Some(handed) = &core.feed.handed {
        assert!(
            *handed == core.feed() || !feed.is_viewed(),
            "law 14: the feed changed and nobody heard"
        );
    }
    let profiles =
        core.profiles.iter().map(|(_, profile)| profile).filter(|profile| profile.viewers > 0);
    for doc in pages.chain(profiles.map(|profile| &profile.doc)) {
        let kind = match doc.key {
            DocumentKey::Friends(_) => super::super::Kind::Friends,
            DocumentKey::Feed(_) => super::super::Kind::Feed,
            DocumentKey::Profile(_) => super::super::Kind::Profile,
        };
        let waits = core.flights.requests() > 0 || core.pause_of(kind) > now;
        match doc.next(around) {
            Next::Nothing(_) | Next::Rest(_) => {}
            Next::Read => panic!("law 14: {:?} could be read", doc.key),
            Next::Fetch => assert!(waits, "law 14: {:?} waits for nothing", doc.key),
        }
    }
}
