//! What to change, and what that would gain.

use serde::{Deserialize, Serialize};

use super::{
    Forecast, Handle,
    facts::{Facts, Learner},
    play::Play,
};
use crate::cache::{
    orders::{Accesses, Order},
    policy::{Policy, SettingError},
    replay::Recording,
};

/// A change that gains less than this share of requests, in hits, is not worth one.
const LEAST_SHARE: f64 = 0.002;
/// The same of requests to the API, of bytes, and of the median time.
const LEAST_SAVING: f64 = 0.03;
/// The most changes reported.
const BEST: usize = 4;

/// One setting, as it is and as it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The setting's name, as [`Policy::set`] takes it.
    pub name: Box<str>,
    /// What was in force.
    pub from: u64,
    /// What to try.
    pub to: u64,
}

/// What to change, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// All of these together.
    pub changes: Vec<Change>,
    /// What comes of the same session then.
    pub then: Forecast,
}

/// All that a session says of its policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advised {
    /// What comes of it under the policy that was in force.
    pub now: Forecast,
    /// Looks that memory could answer if it held all until its document ends.
    pub unbounded_hits: u64,
    /// The same if it held as many as it does, and knew what comes.
    pub clairvoyant_hits: u64,
    /// Looks, and how many of them memory answered.
    pub looks: u64,
    /// The best changes, the one that gains most first; none if nothing gains.
    pub advice: Vec<Advice>,
}

/// Tries changes, a little at a time: a page has other things to do.
#[derive(Debug)]
pub struct Trial<B> {
    session: Vec<Recording>,
    policy: Policy,
    candidates: Vec<Vec<Change>>,
    phase: Phase<B>,
    tried: Vec<Forecast>,
}

#[derive(Debug)]
enum Phase<B> {
    Learning(Box<Learner<B>>),
    Playing(Box<(Facts<B>, Play<B>)>),
    Over,
}

impl<B: Handle> Trial<B> {
    /// Takes the documents of one tab in order. The baseline is the last one's policy.
    pub fn new(session: Vec<Recording>) -> Self {
        let policy = session.last().map_or_else(Policy::default, |last| last.policy.clone());
        let candidates = candidates(&policy);
        let phase = Phase::Learning(Box::new(Learner::new()));
        Self { session, policy, candidates, phase, tried: Vec::new() }
    }

    /// Goes on by one step; true until all is known.
    pub fn step(&mut self) -> bool {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Learning(mut learner) => match learner.step(&self.session) {
                true => Phase::Learning(learner),
                false => {
                    let facts = learner.into_facts();
                    let play = Play::new(&facts, self.policy.clone());
                    Phase::Playing(Box::new((facts, play)))
                }
            },
            Phase::Playing(mut playing) => {
                let (facts, play) = &mut *playing;
                if play.step(facts) {
                    Phase::Playing(playing)
                } else {
                    self.tried.push(play.forecast());
                    self.next(playing)
                }
            }
            Phase::Over => return false,
        };
        !matches!(self.phase, Phase::Over)
    }

    /// The next candidate is tried.
    fn next(&self, mut playing: Box<(Facts<B>, Play<B>)>) -> Phase<B> {
        match self.candidates.get(self.tried.len() - 1) {
            Some(changes) => {
                playing.1 = Play::new(&playing.0, changed(&self.policy, changes));
                Phase::Playing(playing)
            }
            None => Phase::Over,
        }
    }

    /// What was found out by all steps.
    pub fn advised(&self) -> Advised {
        let now = self.tried.first().copied().unwrap_or_default();
        let tried = self.candidates.iter().zip(self.tried.iter().skip(1));
        let mut advice: Vec<Advice> = tried
            .filter(|(_, then)| gain(&now, then).is_some())
            .map(|(changes, then)| Advice { changes: changes.clone(), then: *then })
            .collect();
        advice.sort_by(|one, other| {
            let of = |advice: &Advice| gain(&now, &advice.then).unwrap_or_default();
            of(other).total_cmp(&of(one))
        });
        advice.truncate(BEST);
        // Memory ends with its document.
        let accesses: Vec<Accesses> = self.session.iter().map(Recording::accesses).collect();
        let room = self.policy.memory.entries;
        let hits = |order| accesses.iter().map(|of| of.hits(order, room) as u64).sum();
        Advised {
            now,
            unbounded_hits: hits(Order::Unbounded),
            clairvoyant_hits: hits(Order::Clairvoyant),
            looks: accesses.iter().map(|of| of.len() as u64).sum(),
            advice,
        }
    }
}

/// The policy with these changes.
fn changed(policy: &Policy, changes: &[Change]) -> Policy {
    let mut policy = policy.clone();
    for Change { name, to, .. } in changes {
        // A change is made of settings that there are.
        let set: Result<(), SettingError> = policy.set(name, *to);
        debug_assert!(set.is_ok(), "{set:?}");
    }
    policy
}

/// How much better it is; none if it is not. A hit more counts most, then a request less, then a byte, then time.
fn gain(now: &Forecast, then: &Forecast) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let saved = |now: u64, then: u64| (now as f64 - then as f64) / now.max(1) as f64;
    let hits = then.hit_rate() - now.hit_rate();
    let asked = saved(now.api_requests, then.api_requests);
    let bytes = saved(now.bytes_from_network, then.bytes_from_network);
    let time = match (now.median_ms, then.median_ms) {
        (Some(now), Some(then)) if now > 0.0 => (now - then) / now,
        _ => 0.0,
    };
    let is_better = hits >= LEAST_SHARE
        || [asked, bytes, time].into_iter().any(|saving| saving >= LEAST_SAVING);
    let is_worse = hits < 0.0 || asked <= -LEAST_SAVING || bytes <= -LEAST_SAVING;
    (is_better && !is_worse).then_some(hits * 100.0 + asked * 10.0 + bytes * 10.0 + time)
}

/// What is worth trying: limits of entries twice and four times as large, lifetimes four times as long, other sizes
/// of previews, loading ahead or not.
fn candidates(policy: &Policy) -> Vec<Vec<Change>> {
    let numbers: Vec<(&str, u64)> = policy.settings().collect();
    let now = |name: &str| numbers.iter().find(|(of, _)| *of == name).map_or(0, |(_, n)| *n);
    let times = |names: &[&str], factor: u64| -> Vec<Change> {
        let change = |name: &&str| {
            let from = now(name);
            Change { name: (*name).into(), from, to: from.saturating_mul(factor) }
        };
        names.iter().map(change).collect()
    };
    let set = |name: &str, to: u64| Change { name: name.into(), from: now(name), to };
    let mut all = Vec::new();
    for factor in [2, 4] {
        all.push(times(&["memory_users", "memory_bytes", "memory_trim_to"], factor));
        let local = ["local_storage_users", "local_storage_trim_to"];
        all.push(times(&local, factor));
        let durable = ["indexed_db_entries", "indexed_db_bytes", "indexed_db_trim_to"];
        all.push(times(&durable, factor));
        let pictures = ["picture_cache_pictures", "picture_cache_bytes", "picture_cache_trim_to"];
        all.push(times(&pictures, factor));
    }
    all.push(times(&["memory_fresh_for_ms", "local_storage_fresh_for_ms"], 4));
    let lifetimes = [
        "memory_fresh_for_ms",
        "local_storage_fresh_for_ms",
        "indexed_db_fresh_for_ms",
        "picture_cache_fresh_for_ms",
    ];
    all.push(times(&lifetimes, 4));
    for px in [64, 256] {
        if px != now("preview_up_to_px") {
            let bytes = now("preview_bytes").saturating_mul(px) / now("preview_up_to_px").max(1);
            all.push(vec![set("preview_up_to_px", px), set("preview_bytes", bytes)]);
        }
    }
    all.push(vec![set("prefetch", 1 - now("prefetch").min(1))]);
    all
}
