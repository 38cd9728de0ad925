//! How much a layer may hold, and how much it holds.

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many keys.
    pub entries: usize,
    /// How many bytes.
    pub bytes: u64,
}

impl Usage {
    /// Limits of half of it.
    pub fn half(self) -> Limits {
        let entries = self.entries / 2;
        Limits { entries, bytes: self.bytes / 2, trim_entries_to: entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_half_of_both() {
        let held = Usage { entries: 7, bytes: 1_001 };
        assert_eq!(held.half(), Limits { entries: 3, bytes: 500, trim_entries_to: 3 });
    }
}
