//! A day of traffic, and how many of its questions about people each cache answers.
//!
//! The day passes in two minutes: lifetimes are as much shorter, and everything happens in its turn
//! and at its time, against a real Redis and a real database.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusHandle;
use miniature_api::UserId;
use miniature_server::{
    Collection,
    config::{Cli, Command, Storage},
    limits::Limits,
    metrics::{self, CACHE_HITS, SOURCE_CALLS},
    storage::NewPerson,
};
use miniature_services::Redis;
use tokio::time::{Instant, sleep_until};

use crate::{
    day::{DAY, Event, PEOPLE, day, trace},
    optimal::{self, Step},
    report::Row,
};

/// How many times as fast as life.
const HURRY: u32 = 720;

/// How far a step may lag behind its time, as a share of the day, before the run is worth nothing.
const LAG: f64 = 0.02;

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
        warm_up_every: life.warm_up_every / HURRY,
        read_ahead_for: life.read_ahead_for / HURRY,
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
            server.changes.describe(&who, None, Some(headline)).await?;
        }
        Event::WarmUp(active) => {
            server.profiles.warm_up(&users(active)?, in_a_hurry().read_ahead_within()).await?;
        }
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
        let requests = day.iter().map(|(_, event)| event.requests()).sum::<u64>();
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
                    "{}, instead of one a request: {} fewer; instead of one a question: {} fewer",
                    self.source_calls,
                    percent(requests.saturating_sub(self.source_calls), requests),
                    percent(all.saturating_sub(self.source_calls), all),
                ),
                "at least 90 % fewer than one a request",
                self.source_calls * 10 <= requests,
            ),
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_name_and_label() {
        let text = "# TYPE a counter\na{x=\"1\"} 3\na{x=\"2\"} 4\nb 5\n";
        assert_eq!(counted(text, &["a{"]), 7);
        assert_eq!(counted(text, &["a{", "\"2\""]), 4);
        assert_eq!(counted(text, &["b "]), 5);
    }
}
