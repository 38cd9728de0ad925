//! A day of traffic, and how many of its questions about people each cache answers.
//!
//! The day passes in two minutes: lifetimes are as much shorter, and everything happens in its turn
//! and at its time, against a real Redis and a real database.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusHandle;
use miniature_api::{BATCH_LIMIT, UserId};
use miniature_server::{
    Collection,
    config::{Cli, Command, Storage},
    limits::Limits,
    metrics::{self, CACHE_HITS, SOURCE_CALLS},
    storage::NewPerson,
};
use miniature_services::Redis;
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::index::sample_weighted};
use rand_distr::Zipf;
use tokio::time::{Instant, sleep_until};

use crate::{
    optimal::{self, Step},
    report::Row,
};

/// How many people there are: five times as many as fit in memory.
const PEOPLE: u32 = 5_000;

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

/// How many times as fast as life.
const HURRY: u32 = 720;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = HOUR.saturating_mul(24);

/// How far a step may lag behind its time, as a share of the day, before the run is worth nothing.
const LAG: f64 = 0.02;

/// What happens in the day.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    /// Someone opens their list, and looks at some of them.
    Visit { friends: Vec<u32>, profiles: Vec<u32> },
    /// Someone changes what is said of them.
    Change(u32),
    /// Profiles of those who were active lately are read ahead.
    WarmUp(Vec<u32>),
    /// The server is started anew.
    Restart,
}

/// Lives through the day.
///
/// # Errors
///
/// If Redis or the database fails, or this machine is too slow for the day to pass in time.
pub async fn measure() -> Result<Vec<Row>> {
    let handle = metrics::install()?;
    let limits = in_a_hurry();
    let (redis, folder) = (Redis::start()?, tempfile::tempdir()?);
    let storage = storage(folder.path(), &redis)?;
    populate(&Collection::open(&storage, &limits).await?).await?;
    let day = day();
    let before = Counts::read(&handle);
    let lag = live(&day, &storage, &limits).await?;
    let allowed = (DAY / HURRY).mul_f64(LAG);
    ensure!(lag < allowed, "too busy a machine: the day lagged by {lag:?}");
    Ok(Counts::read(&handle).since(&before).rows(&day, &limits))
}

/// All that takes time takes less.
fn in_a_hurry() -> Limits {
    let life = Limits::default();
    Limits {
        profile_fresh_for: life.profile_fresh_for / HURRY,
        profile_shared_for: life.profile_shared_for / HURRY,
        missing_fresh_for: life.missing_fresh_for / HURRY,
        ..life
    }
}

fn storage(folder: &Path, redis: &Redis) -> Result<Storage> {
    let folder = folder.display().to_string();
    let words = ["", "serve", "--data", &folder, "--redis-url", &redis.url()];
    let Command::Serve(config) = Cli::try_parse_from(words)?.command else {
        anyhow::bail!("that is how to serve");
    };
    Ok(config.storage)
}

async fn populate(collection: &Collection) -> Result<()> {
    let people = (0..PEOPLE).map(|n| {
        Ok(NewPerson {
            user_id: user(n)?,
            name: format!("Person {n}"),
            headline: String::new(),
            password_hash: None,
        })
    });
    let people = people.collect::<Result<Vec<_>>>()?;
    collection.database.add_people(&people, &[]).await?;
    collection.database.close().await;
    Ok(())
}

fn user(n: u32) -> Result<UserId> {
    Ok(format!("person-{n}").parse()?)
}

fn users(numbers: &[u32]) -> Result<Vec<UserId>> {
    numbers.iter().copied().map(user).collect()
}

/// The events of the day, each with its time, in order. The same on every machine.
fn day() -> Vec<(Duration, Event)> {
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

/// Lets everything happen at its time. Returns how far the worst step lagged.
async fn live(day: &[(Duration, Event)], storage: &Storage, limits: &Limits) -> Result<Duration> {
    let mut server = Collection::open(storage, limits).await?;
    let (begin, mut lag) = (Instant::now(), Duration::ZERO);
    for (at, event) in day {
        let due = begin + *at / HURRY;
        sleep_until(due).await;
        lag = lag.max(due.elapsed());
        if *event == Event::Restart {
            server.database.close().await;
            server = Collection::open(storage, limits).await?;
        }
        happen(event, &server).await?;
    }
    server.database.close().await;
    Ok(lag)
}

async fn happen(event: &Event, server: &Collection) -> Result<()> {
    match event {
        Event::Visit { friends, profiles } => {
            server.profiles.get_many(&users(friends)?).await?;
            for profile in profiles {
                server.profiles.get(&user(*profile)?).await?.context("someone is not there")?;
            }
        }
        Event::Change(who) => {
            let who = user(*who)?;
            // Another text each time, for the same one would be no change.
            let version = server.profiles.get(&who).await?.map_or(0, |profile| profile.version);
            let headline = format!("Change {version}");
            server.database.describe(&who, None, Some(&headline)).await?;
            server.profiles.refresh(&who).await?;
        }
        Event::WarmUp(active) => drop(server.profiles.warm_up(&users(active)?).await?),
        Event::Restart => {}
    }
    Ok(())
}

/// What was counted.
#[derive(Clone, Copy, Debug)]
struct Counts {
    memory: u64,
    redis: u64,
    source_calls: u64,
}

impl Counts {
    fn read(handle: &PrometheusHandle) -> Self {
        let text = handle.render();
        let hits = |layer: &str| counted(&text, &[CACHE_HITS, "profiles", layer]);
        let source_calls = counted(&text, &[SOURCE_CALLS]);
        Self { memory: hits("\"memory\""), redis: hits("\"redis\""), source_calls }
    }

    fn since(self, before: &Self) -> Self {
        Self {
            memory: self.memory - before.memory,
            redis: self.redis - before.redis,
            source_calls: self.source_calls - before.source_calls,
        }
    }
}

/// The sum of a counter's series whose lines hold all these words; the first word is its name.
fn counted(text: &str, words: &[&str]) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(words[0]));
    let lines = lines.filter(|line| words.iter().all(|word| line.contains(word)));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

impl Counts {
    fn rows(&self, day: &[(Duration, Event)], limits: &Limits) -> Vec<Row> {
        let trace = trace(day);
        let asked = trace.iter().filter(|step| matches!(step, Step::Ask(_))).count();
        let all = asked as u64;
        let best = |trace: &[Step], capacity| percent(optimal::hits(trace, capacity) as u64, all);
        let memory_size = usize::try_from(limits.profiles).unwrap_or(usize::MAX);
        let without_restarts =
            trace.iter().copied().filter(|step| *step != Step::Restart).collect::<Vec<_>>();
        let beyond_memory = all - self.memory;
        let questions = day.iter().map(|(_, event)| event.questions()).sum::<u64>();
        vec![
            Row::shown(
                format!(
                    "a day's traffic, {all} questions about {PEOPLE} people: answered by memory ({memory_size} people)"
                ),
                percent(self.memory, all),
                format!("80 %; the best cache of that size: {}", best(&trace, memory_size)),
            ),
            Row::shown(
                "the same: by Redis, of those that memory does not answer",
                percent(self.redis, beyond_memory),
                "95 %",
            ),
            Row::shown(
                "the same: by memory and Redis",
                percent(self.memory + self.redis, all),
                format!("99 %; the best of any size: {}", best(&without_restarts, usize::MAX)),
            ),
            Row::held(
                "the same: source calls, changes and reading ahead included",
                format!(
                    "{}, instead of one a question: {} fewer; instead of one a request: {} fewer",
                    self.source_calls,
                    percent(all.saturating_sub(self.source_calls), all),
                    percent(questions.saturating_sub(self.source_calls), questions),
                ),
                "at least 90 % fewer than one a question",
                self.source_calls * 10 <= all,
            ),
        ]
    }
}

impl Event {
    /// How many requests it makes.
    fn questions(&self) -> u64 {
        match self {
            Self::Visit { profiles, .. } => 1 + profiles.len() as u64,
            Self::Change(_) => 1,
            Self::WarmUp(_) | Self::Restart => 0,
        }
    }
}

/// The day as a cache sees it.
fn trace(day: &[(Duration, Event)]) -> Vec<Step> {
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

#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
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

    #[test]
    fn series_are_summed_by_name_and_label() {
        let text = "# TYPE a counter\na{x=\"1\"} 3\na{x=\"2\"} 4\nb 5\n";
        assert_eq!(counted(text, &["a{"]), 7);
        assert_eq!(counted(text, &["a{", "\"2\""]), 4);
        assert_eq!(counted(text, &["b "]), 5);
    }
}
