//! What a turn costs in the core: medians of 10 000, with 100 and with 10 000 viewers and entries,
//! and as many friends.
//!
//! `cargo xtask bench core [--strict]`. A turn may cost twice as much with a hundred times as many
//! viewers, or 20 µs; a cold list of 50 may cost 0.3 ms in the core, parsing and base64 not counted.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its report")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be set up fails")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, reason = "a benchmark")]

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use miniature::{
    api::{BatchEntry, Friend, FriendsPage, ImageId, Lineage, Record, Revision, Size, UserId},
    cache::{
        clock::{Now, Timestamp},
        core::{
            Answer, Core, Effect, EffectId, Event, Fetched, FriendsReply, ListView, Reply, Request,
            Start, Written,
        },
        entry::{Bytes, Found},
        eviction::Usage,
        key::Wanted,
        policy::Policy,
    },
};

const TIMES: usize = 10_000;
const BAR: Duration = Duration::from_micros(20);
const COLD_BAR: Duration = Duration::from_micros(300);

/// A handle to nothing, of a usual length.
#[derive(Clone, Debug)]
struct Blob;

impl Bytes for Blob {
    fn byte_len(&self) -> usize {
        3_000
    }
}

struct Bench {
    core: Core<Blob>,
    now: Now,
    effects: Vec<Effect<Blob>>,
    /// Friends, and those who are looked at.
    count: usize,
    revision: u32,
}

fn lineage() -> Lineage {
    "1800000000000-0000000000000001".parse().unwrap()
}

fn user(index: usize) -> UserId {
    format!("user{index:05}").parse().unwrap()
}

fn record(index: usize, revision: u32) -> Record {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(index as u64).to_be_bytes());
    bytes[12..].copy_from_slice(&revision.to_be_bytes());
    let image_id = Some(ImageId::from_bytes(bytes));
    Record { user_id: user(index), revision: Revision(revision), image_id, thumbhash: None }
}

impl Bench {
    fn new(count: usize) -> Self {
        let now = Now { running: Duration::ZERO, wall: Timestamp(1_800_000_000_000) };
        let mut core = Core::new(Policy::default(), 1, true, now);
        let account = "ada".parse().unwrap();
        let (lineage, believe_from) = (None, Timestamp(0));
        core.handle(
            Event::Session(Some(Box::new(Start {
                account,
                lineage,
                believe_from,
                feed: None,
                friends: None,
                live: None,
                has_picture_cache: false,
            }))),
            now,
        );
        let mut bench = Self { core, now, effects: Vec::new(), count, revision: 1 };
        if count > 0 {
            bench.look_at_rows(0..count);
            bench.settle();
            assert_eq!(bench.core.friends().friends.len(), count);
            bench.look_at_rows(0..30);
        }
        for index in 0..count {
            bench.open(index);
        }
        bench.settle();
        bench
    }

    fn look_at_rows(&mut self, rows: std::ops::Range<usize>) {
        let view = ListView { rows, pictures: Some(Size::S64), ahead: 0 };
        self.core.handle(Event::FriendsViewed(view), self.now);
    }

    fn open(&mut self, index: usize) -> miniature::cache::core::ViewerId {
        let wanted = Wanted { user: user(index), size: Size::S64 };
        let found = self.core.looks(&wanted.user).then(|| Ok(Found::default()));
        self.core.open(wanted, found, self.now).0
    }

    /// One turn: all that the core wants done now.
    fn turn(&mut self) {
        while let Some(effect) = self.core.poll(self.now) {
            self.effects.push(effect);
        }
    }

    /// Answers everything, until nothing more follows, and lets what is due later pass.
    fn settle(&mut self) {
        for _ in 0..4 {
            loop {
                self.turn();
                let effects = std::mem::take(&mut self.effects);
                let answers: Vec<_> =
                    effects.into_iter().filter_map(|effect| self.answer(effect)).collect();
                if answers.is_empty() {
                    break;
                }
                for (id, answer) in answers {
                    self.core.handle(Event::Answer(id, answer), self.now);
                }
            }
            self.advance(Duration::from_secs(3));
        }
    }

    /// The answer to the last such effect.
    fn take(&mut self, is_it: impl Fn(&Effect<Blob>) -> bool) -> (EffectId, Answer<Blob>) {
        let at = self.effects.iter().rposition(is_it).unwrap();
        let effect = self.effects.remove(at);
        self.answer(effect).unwrap()
    }

    fn advance(&mut self, duration: Duration) {
        self.now.running += duration;
        self.now.wall.0 += u64::try_from(duration.as_millis()).unwrap();
    }

    fn answer(&self, effect: Effect<Blob>) -> Option<(EffectId, Answer<Blob>)> {
        Some(match effect {
            Effect::Read { id, lookups, .. } => {
                (id, Answer::Read(Ok(lookups.iter().map(|_| Found::default()).collect())))
            }
            Effect::ReadDocuments { id, keys } => {
                (id, Answer::Documents(Ok(keys.iter().map(|_| None).collect())))
            }
            Effect::Fetch { id, request: Request::Pictures { users, .. }, .. } => {
                let users: Vec<usize> =
                    users.iter().map(|u| u.user_id.as_str()[4..].parse().unwrap()).collect();
                (id, pictures(&users, self.revision))
            }
            Effect::Fetch { id, request: Request::Friends { cursor, pictures, .. }, .. } => {
                let start = cursor.map_or(0, |cursor| cursor.parse().unwrap());
                let end = (start + 50).min(self.count);
                let next = (end < self.count).then(|| end.to_string());
                (id, friends(start..end, next, pictures))
            }
            Effect::Decode { id, .. } => (id, Answer::Decoded(true)),
            Effect::Write { id, .. } => (id, Answer::Written(Ok(Written::default()))),
            Effect::Count { id } => (id, Answer::Counted(Ok(Vec::new()))),
            Effect::Measure { id, .. } => (id, Answer::Measured(Ok(Usage::default()))),
            _ => return None,
        })
    }
}

fn pictures(users: &[usize], revision: u32) -> Answer<Blob> {
    let records: Vec<Record> = users.iter().map(|index| record(*index, revision)).collect();
    let renditions = records.iter().map(|record| (record.image_id.unwrap(), Ok(Blob))).collect();
    let entries = records.into_iter().map(BatchEntry::from).collect();
    fetched(Reply::Pictures { entries, renditions })
}

fn friends(
    rows: std::ops::Range<usize>,
    next: Option<String>,
    pictures: Option<Size>,
) -> Answer<Blob> {
    let friends = rows.map(|index| Friend {
        user_id: user(index),
        name: format!("Friend {index}"),
        headline: "What a day".into(),
        picture: record(index, 1),
    });
    let page = FriendsPage { friends: friends.collect(), next };
    let images = page.friends.iter().filter_map(|friend| friend.picture.image_id);
    let renditions = images.map(|image| (image, Ok(Blob))).collect();
    let etag = Some("W/\"page\"".into());
    fetched(Reply::Friends(Some(FriendsReply { page, etag, pictures, renditions })))
}

fn fetched(reply: Reply<Blob>) -> Answer<Blob> {
    let (lineage, account) = (Some(lineage()), Some("ada".parse().unwrap()));
    Answer::Fetched(Fetched { lineage, account, asked: None, event: None, outcome: Ok(reply) })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = act();
    (start.elapsed(), result)
}

/// The medians, by name.
fn measure(count: usize) -> Vec<(&'static str, Duration)> {
    let mut bench = Bench::new(count);
    let mut times: [Vec<Duration>; 5] = Default::default();
    for round in 0..TIMES {
        let index = round % count;
        let (took, viewer) = timed(|| {
            let viewer = bench.open(index);
            bench.turn();
            viewer
        });
        times[0].push(took);
        let (took, ()) = timed(|| {
            bench.core.handle(Event::Left(viewer), bench.now);
            bench.turn();
        });
        times[1].push(took);
        times[4].push(timed(|| bench.turn()).0);
    }
    bench.settle();
    for round in 0..TIMES {
        bench.revision += 1;
        let (index, revision) = (round % count, bench.revision);
        bench.advance(Duration::from_millis(1));
        let news = Event::News(vec![record(index, revision)], lineage());
        times[2].push(
            timed(|| {
                bench.core.handle(news, bench.now);
                bench.turn();
            })
            .0,
        );
        if round % 10 == 0 {
            bench.settle();
        }
    }
    bench.settle();
    for round in 0..TIMES / 50 {
        let viewers: Vec<_> = (0..50).map(|n| bench.open(50_000 + round * 50 + n)).collect();
        bench.turn();
        let (id, answer) = bench.take(|effect| matches!(effect, Effect::Read { .. }));
        bench.core.handle(Event::Answer(id, answer), bench.now);
        bench.turn();
        let (id, answer) = bench.take(|effect| matches!(effect, Effect::Fetch { .. }));
        times[3].push(
            timed(|| {
                bench.core.handle(Event::Answer(id, answer), bench.now);
                bench.turn();
            })
            .0,
        );
        viewers.into_iter().for_each(|viewer| bench.core.handle(Event::Left(viewer), bench.now));
        bench.settle();
    }
    let names = ["open", "leave", "news of one user", "batch of 50", "wake-up, nothing due"];
    names.into_iter().zip(times.map(median)).collect()
}

/// A list of 50 that nothing holds, from the first look to the last row.
fn cold_list() -> Duration {
    let times = (0..1_000).map(|_| {
        let mut bench = Bench::new(0);
        let answer = friends(0..50, None, Some(Size::S64));
        timed(|| {
            bench.look_at_rows(0..30);
            bench.turn();
            let read = bench.effects.pop().unwrap();
            let (id, nothing) = bench.answer(read).unwrap();
            bench.core.handle(Event::Answer(id, nothing), bench.now);
            bench.turn();
            let id = bench.effects.iter().find_map(|effect| match effect {
                Effect::Fetch { id, .. } => Some(*id),
                _ => None,
            });
            bench.core.handle(Event::Answer(id.unwrap(), answer), bench.now);
            bench.turn();
            (0..50).for_each(|index| {
                bench.open(index);
            });
            bench.turn();
        })
        .0
    });
    median(times.collect())
}

fn main() -> ExitCode {
    let strict = std::env::args().any(|argument| argument == "--strict");
    let (few, many) = (measure(100), measure(10_000));
    let mut missed = 0;
    println!("{:<24}{:>12}{:>12}{:>8}", "a turn, µs", "100", "10 000", "ratio");
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        let ratio = many.as_secs_f64() / few.as_secs_f64().max(1e-9);
        let met = ratio <= 2.0 || many < BAR;
        missed += u32::from(!met);
        let verdict = if met { "" } else { "  MISSED" };
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!("{name:<24}{:>12.2}{:>12.2}{ratio:>8.2}{verdict}", micros(few), micros(many));
    }
    let cold = cold_list();
    missed += u32::from(cold >= COLD_BAR);
    let verdict = if cold < COLD_BAR { "" } else { "  MISSED" };
    println!("{:<24}{:>12.1} µs{verdict}", "a cold list of 50", cold.as_secs_f64() * 1e6);
    if strict && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
