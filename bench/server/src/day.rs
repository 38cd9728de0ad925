//! A day of traffic: who opens their list and looks at whom, who changes something, and when.

use std::time::Duration;

use miniature_api::BATCH_LIMIT;
use miniature_server::limits::Limits;
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::index::sample_weighted};
use rand_distr::Zipf;

use crate::optimal::Step;

/// How many people there are: five times as many as fit in memory.
pub(crate) const PEOPLE: u32 = 5_000;

/// How many friends are on a list.
const FRIENDS: usize = BATCH_LIMIT;

/// How often someone opens their list, a day.
const VISITS: u32 = 20_000;

/// How many of the friends on it someone then looks at.
const PROFILES: usize = 3;

/// How many of a hundred people change something, an hour.
const CHANGES: u32 = 5;

/// After how many hours the server is started anew.
const RESTARTS: [u32; 3] = [7, 13, 19];

const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = HOUR.saturating_mul(24);

/// What happens in the day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// Someone opens their list, and looks at some of them.
    Visit { friends: Vec<u32>, profiles: Vec<u32> },
    /// Someone changes what is said of them.
    Change(u32),
    /// Profiles of those who were active lately are read ahead.
    WarmUp(Vec<u32>),
    /// The server is started anew.
    Restart,
}

impl Event {
    /// How many requests it makes.
    pub(crate) fn requests(&self) -> u64 {
        match self {
            Self::Visit { profiles, .. } => 1 + profiles.len() as u64,
            Self::Change(_) => 1,
            Self::WarmUp(_) | Self::Restart => 0,
        }
    }
}

/// The events of the day, each with its time, in order. The same on every machine.
pub(crate) fn day() -> Vec<(Duration, Event)> {
    let mut random = SmallRng::seed_from_u64(1);
    let popular = Zipf::new(f64::from(PEOPLE), 1.0).ok();
    let someone =
        |random: &mut SmallRng| popular.as_ref().map_or(0, |zipf| rank(random.sample(zipf)));
    let lists = (0..PEOPLE).map(|_| friends(&mut random)).collect::<Vec<_>>();
    let mut day = Vec::new();
    let mut visits = Vec::new();
    for _ in 0..VISITS {
        let (at, who) = (random.random_range(Duration::ZERO..DAY), someone(&mut random));
        let friends = lists[who as usize].clone();
        let profiles = (0..PROFILES).map(|_| friends[random.random_range(0..FRIENDS)]).collect();
        day.push((at, Event::Visit { friends, profiles }));
        visits.push((at, who));
    }
    for _ in 0..PEOPLE * CHANGES * 24 / 100 {
        let at = random.random_range(Duration::ZERO..DAY);
        day.push((at, Event::Change(random.random_range(0..PEOPLE))));
    }
    day.extend(RESTARTS.map(|hour| (HOUR * hour, Event::Restart)));
    day.extend(warm_ups(&visits));
    day.sort_by_key(|(at, _)| *at);
    day
}

/// A rank that was drawn counts from 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Zipf's ranks are whole, from 1 to the number of people"
)]
fn rank(drawn: f64) -> u32 {
    drawn as u32 - 1
}

/// Different people, the popular ones more often.
fn friends(random: &mut SmallRng) -> Vec<u32> {
    let weight = |n: usize| u32::try_from(n + 1).map_or(0.0, |rank| 1.0 / f64::from(rank));
    let drawn = sample_weighted(random, PEOPLE as usize, weight, FRIENDS);
    let numbers = drawn.map(|drawn| drawn.into_iter()).into_iter().flatten();
    numbers.filter_map(|n| u32::try_from(n).ok()).collect()
}

/// Every 10 minutes, those who came in the last 30; the latest first, as many as memory holds.
fn warm_ups(visits: &[(Duration, u32)]) -> Vec<(Duration, Event)> {
    let limits = Limits::default();
    let turns = (0..).map(|turn| limits.warm_up_every * turn).take_while(|at| *at < DAY);
    let most = usize::try_from(limits.profiles).unwrap_or(usize::MAX);
    let active = |now: Duration| {
        let lately = now.saturating_sub(limits.active_for)..now;
        let mut active = visits.iter().filter(|(at, _)| lately.contains(at)).collect::<Vec<_>>();
        active.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut users = Vec::new();
        for (_, who) in active {
            if !users.contains(who) {
                users.push(*who);
            }
        }
        users.truncate(most);
        users
    };
    turns.map(|at| (at, Event::WarmUp(active(at)))).collect()
}

/// The day as a cache sees it.
pub(crate) fn trace(day: &[(Duration, Event)]) -> Vec<Step> {
    let mut trace = Vec::new();
    for (_, event) in day {
        match event {
            Event::Visit { friends, profiles } => {
                trace.extend(friends.iter().chain(profiles).copied().map(Step::Ask));
            }
            Event::Change(who) => trace.push(Step::Ask(*who)),
            Event::WarmUp(_) => {}
            Event::Restart => trace.push(Step::Restart),
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_same_each_time_and_in_order() {
        let day = day();
        assert_eq!(day, super::day());
        assert!(day.is_sorted_by_key(|(at, _)| *at));
        let visits = day.iter().filter(|(_, event)| matches!(event, Event::Visit { .. }));
        assert_eq!(visits.count(), VISITS as usize);
    }

    #[test]
    fn nobody_is_twice_on_a_list_and_the_popular_are_on_many() {
        let mut random = SmallRng::seed_from_u64(7);
        let lists = (0..100).map(|_| friends(&mut random)).collect::<Vec<_>>();
        for list in &lists {
            let different = list.iter().collect::<std::collections::HashSet<_>>();
            assert_eq!(different.len(), FRIENDS);
        }
        let on = |who| lists.iter().filter(|list| list.contains(&who)).count();
        assert!(on(0) > 90, "{}", on(0));
        assert!(on(PEOPLE - 1) < 10, "{}", on(PEOPLE - 1));
    }
}
