//! The best that any cache of a size could do, had it known what would be asked for.
//!
//! # Source
//!
//! L. A. Belady, "A study of replacement algorithms for a virtual-storage computer" (1966): what is
//! asked for again last goes first. Here the newcomer may be the one that goes.

use std::collections::{BTreeSet, HashMap};

/// What happens to a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Someone asks for this.
    Ask(u32),
    /// All that it holds is lost.
    Restart,
}

/// How many of the questions the best cache of so many entries answers.
pub fn hits(trace: &[Step], capacity: usize) -> usize {
    let next = next_uses(trace);
    let mut held = HashMap::<u32, usize>::new();
    let mut by_next_use = BTreeSet::<(usize, u32)>::new();
    let mut hits = 0;
    for (step, &used_next) in trace.iter().zip(&next) {
        let Step::Ask(key) = *step else {
            held.clear();
            by_next_use.clear();
            continue;
        };
        if let Some(used_now) = held.insert(key, used_next) {
            by_next_use.remove(&(used_now, key));
            hits += 1;
        }
        by_next_use.insert((used_next, key));
        if held.len() > capacity
            && let Some((_, last)) = by_next_use.pop_last()
        {
            held.remove(&last);
        }
    }
    hits
}

/// When that which is asked for at each step is asked for again; never, if not before a restart.
fn next_uses(trace: &[Step]) -> Vec<usize> {
    let mut next = HashMap::new();
    let mut uses = vec![usize::MAX; trace.len()];
    for (at, step) in trace.iter().enumerate().rev() {
        match step {
            Step::Ask(key) => uses[at] = next.insert(*key, at).unwrap_or(usize::MAX),
            Step::Restart => next.clear(),
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(keys: &[u32]) -> Vec<Step> {
        keys.iter().copied().map(Step::Ask).collect()
    }

    #[test]
    fn the_best_cache_keeps_what_is_asked_for_soonest() {
        let cases = [
            ("all fit", asks(&[1, 2, 1, 2]), 2, 2),
            ("the newcomer goes", asks(&[1, 2, 3, 1, 2]), 2, 2),
            ("the farther goes", asks(&[1, 2, 3, 1, 3, 2]), 2, 2),
            ("none is asked for twice", asks(&[1, 2, 3, 4]), 2, 0),
            ("one entry, one favourite", asks(&[1, 2, 1, 3, 1]), 1, 2),
        ];
        for (name, trace, capacity, expected) in cases {
            assert_eq!(hits(&trace, capacity), expected, "{name}");
        }
    }

    #[test]
    fn a_restart_loses_everything() {
        let trace = [Step::Ask(1), Step::Restart, Step::Ask(1), Step::Ask(1)];
        assert_eq!(hits(&trace, 9), 1);
    }

    #[test]
    fn no_choice_of_what_to_drop_does_better() {
        let trace = asks(&[1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]);
        assert_eq!(hits(&trace, 3), most_hits(&trace, &[], 3));
    }

    /// Tries every choice.
    fn most_hits(trace: &[Step], held: &[u32], capacity: usize) -> usize {
        let Some((Step::Ask(key), rest)) = trace.split_first() else { return 0 };
        if held.contains(key) {
            return 1 + most_hits(rest, held, capacity);
        }
        let with = [held, &[*key]].concat();
        if with.len() <= capacity {
            return most_hits(rest, &with, capacity);
        }
        let without = |gone: &u32| with.iter().copied().filter(|k| k != gone).collect::<Vec<_>>();
        with.iter().map(|gone| most_hits(rest, &without(gone), capacity)).max().unwrap_or(0)
    }
}
