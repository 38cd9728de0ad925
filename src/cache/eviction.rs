//! What goes when a layer holds too much: the least recently used, until both limits hold.

use super::{entry::Held, key::Key};

/// What a layer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most keys.
    pub entries: usize,
    /// The most bytes, in all.
    pub bytes: u64,
    /// How many keys stay once there were more than `entries`. Below it, so that a layer at its
    /// limit is not trimmed at every write.
    pub trim_entries_to: usize,
}

/// What a layer holds, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many keys.
    pub entries: usize,
    /// How many bytes.
    pub bytes: u64,
}

impl Usage {
    /// Adds up an inventory.
    pub fn of(held: &[Held]) -> Self {
        Self { entries: held.len(), bytes: held.iter().map(|held| held.bytes).sum() }
    }
}

/// The keys that must go for `limits` to hold, least recently used first.
pub fn plan(mut held: Vec<Held>, limits: Limits) -> Vec<Key> {
    let Usage { mut entries, mut bytes } = Usage::of(&held);
    let keep = if entries > limits.entries { limits.trim_entries_to } else { entries };
    held.sort_unstable_by(|a, b| a.used_at.cmp(&b.used_at).then_with(|| a.key.cmp(&b.key)));
    let mut leaving = Vec::new();
    for line in held {
        if entries <= keep && bytes <= limits.bytes {
            break;
        }
        entries -= 1;
        bytes -= line.bytes;
        leaving.push(line.key);
    }
    leaving
}

/// The keys that make room for one more attempt on a disk that is full: the older half.
pub fn plan_for_full_disk(held: Vec<Held>) -> Vec<Key> {
    let half = Limits {
        entries: held.len() / 2,
        bytes: Usage::of(&held).bytes / 2,
        trim_entries_to: held.len() / 2,
    };
    plan(held, half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::clock::Timestamp;
    use proptest::prelude::*;

    fn held(name: &str, bytes: u64, used_at: u64) -> Held {
        Held { key: Key::User(name.parse().unwrap()), bytes, used_at: Timestamp(used_at) }
    }

    fn names(keys: Vec<Key>) -> Vec<String> {
        keys.into_iter()
            .map(|key| match key {
                Key::User(user) => user.to_string(),
                Key::Rendition(rendition) => rendition.image.to_string(),
            })
            .collect()
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let shelf = || vec![held("new", 10, 3), held("old", 10, 1), held("middle", 10, 2)];
        let limits = |entries, bytes, trim_entries_to| Limits { entries, bytes, trim_entries_to };
        let cases: [(_, _, &[&str]); 5] = [
            ("nothing within the limits", limits(3, 30, 3), &[]),
            ("one too many", limits(2, 30, 2), &["old"]),
            ("one byte too many", limits(3, 29, 3), &["old"]),
            ("too many, trimmed further", limits(2, 30, 1), &["old", "middle"]),
            ("no room at all", limits(3, 0, 3), &["old", "middle", "new"]),
        ];
        for (name, limits, expected) in cases {
            assert_eq!(names(plan(shelf(), limits)), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn after_the_plan_both_limits_hold(
            sizes in prop::collection::vec((0_u64..100, 0_u64..50), 0..40),
            entries in 0_usize..40,
            bytes in 0_u64..2000,
        ) {
            let shelf: Vec<Held> = sizes
                .iter()
                .enumerate()
                .map(|(i, (bytes, used))| held(&format!("u{i}"), *bytes, *used))
                .collect();
            let limits = Limits { entries, bytes, trim_entries_to: entries };
            let gone = plan(shelf.clone(), limits);
            let left: Vec<Held> =
                shelf.into_iter().filter(|held| !gone.contains(&held.key)).collect();
            let usage = Usage::of(&left);
            prop_assert!(usage.entries <= entries && usage.bytes <= bytes);
        }
    }
}
