//! A policy by names and numbers: for exports, for the dashboard, and for `cargo xtask replay --policy`.

use std::time::Duration;

use miniature_api::Size;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Policy;
use crate::cache::clock::whole_millis;

/// A setting that cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting has this name.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// The setting takes other numbers.
    #[error("`{0}` cannot be {1}")]
    OutOfRange(String, u64),
}

/// One number of a policy.
trait Setting: Sized {
    fn number(&self) -> u64;
    fn of(number: u64) -> Option<Self>;
}

/// Whole milliseconds.
impl Setting for Duration {
    fn number(&self) -> u64 {
        whole_millis(*self)
    }

    fn of(number: u64) -> Option<Self> {
        Some(Self::from_millis(number))
    }
}

impl Setting for u64 {
    fn number(&self) -> u64 {
        *self
    }

    fn of(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Setting for usize {
    fn number(&self) -> u64 {
        *self as u64
    }

    fn of(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Setting for u32 {
    fn number(&self) -> u64 {
        u64::from(*self)
    }

    fn of(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

/// 1 or 0.
impl Setting for bool {
    fn number(&self) -> u64 {
        u64::from(*self)
    }

    fn of(number: u64) -> Option<Self> {
        (number <= 1).then_some(number == 1)
    }
}

/// Pixels.
impl Setting for Size {
    fn number(&self) -> u64 {
        u64::from(self.px())
    }

    fn of(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|size| u64::from(size.px()) == number)
    }
}

/// Names each setting, in the order of an export, and where it stands.
macro_rules! settings {
    ($($name:literal: $($place:ident).+,)*) => {
        const NAMES: &[&str] = &[$($name),*];

        fn numbers(policy: &Policy) -> Vec<u64> {
            vec![$(policy.$($place).+.number()),*]
        }

        fn set(policy: &mut Policy, name: &str, number: u64) -> Result<bool, ()> {
            match name {
                $($name => policy.$($place).+ = Setting::of(number).ok_or(())?,)*
                _ => return Ok(false),
            }
            Ok(true)
        }
    };
}

settings! {
    "memory_fresh_for_ms": memory_fresh_for,
    "local_storage_fresh_for_ms": local_storage_fresh_for,
    "indexed_db_fresh_for_ms": indexed_db_fresh_for,
    "picture_cache_fresh_for_ms": picture_cache_fresh_for,
    "document_fresh_for_ms": document_fresh_for,
    "absence_fresh_for_ms": absence_fresh_for,
    "hint_spare_ms": hint_spare,
    "hint_used_within_ms": hint_used_within,
    "longest_hint_ms": longest_hint,
    "memory_users": memory.entries,
    "memory_bytes": memory.bytes,
    "memory_trim_to": memory.trim_entries_to,
    "local_storage_users": local_storage.entries,
    "local_storage_bytes": local_storage.bytes,
    "local_storage_trim_to": local_storage.trim_entries_to,
    "indexed_db_entries": indexed_db.entries,
    "indexed_db_bytes": indexed_db.bytes,
    "indexed_db_trim_to": indexed_db.trim_entries_to,
    "picture_cache_pictures": picture_cache.entries,
    "picture_cache_bytes": picture_cache.bytes,
    "picture_cache_trim_to": picture_cache.trim_entries_to,
    "picture_cache_timeout_ms": picture_cache_timeout,
    "prefetch": prefetch,
    "sync_ahead_ms": sync_ahead,
    "sync_users": sync_users,
    "sync_timeout_ms": sync_timeout,
    "worker_timeout_ms": worker_timeout,
    "shed_above_percent": shed.above_percent,
    "shed_to_percent": shed.to_percent,
    "shed_asked_after_ms": shed.asked_after,
    "shed_asked_every_ms": shed.asked_every,
    "comes_back_after_ms": comes_back_after,
    "pages": pages,
    "profiles": profiles,
    "preview_up_to_px": preview_up_to,
    "preview_bytes": preview_bytes,
    "data_url_bytes": data_url_bytes,
    "rendition_bytes": rendition_bytes,
    "layer_timeout_ms": layer_timeout,
    "silence_ms": silence,
    "progress_bytes": progress_bytes,
    "part_every_ms": part_every,
    "decode_timeout_ms": decode_timeout,
    "breaker_failures": breaker_failures,
    "breaker_pause_ms": breaker_pause,
    "batch_users": batch_users,
    "requests_at_once": requests_at_once,
    "first_pause_ms": first_pause,
    "longest_pause_ms": longest_pause,
    "longest_retry_after_ms": longest_retry_after,
    "soon_ms": soon,
    "malformed_attempts": malformed_attempts,
    "recheck_after_ms": recheck_after,
    "clock_jump_ms": clock_jump,
    "lateness_ms": lateness,
    "longest_sleep_ms": longest_sleep,
    "idle_within_ms": idle_within,
    "decode_after_ms": decode_after,
    "write_after_ms": write_after,
    "write_at_most_ms": write_at_most,
    "write_users": write_users,
    "write_pause_ms": write_pause,
    "note_use_every_ms": note_use_every,
    "stream_silence_ms": stream_silence,
    "steal_after_ms": steal_after,
    "yield_after_ms": yield_after,
    "live_frame_ms": live_frame,
    "live_frame_hidden_ms": live_frame_hidden,
    "page_kept_for_ms": page_kept_for,
    "boot_age_ms": boot_age,
}

impl Policy {
    /// Each setting's name, which ends in its unit where it has one, and its number.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        NAMES.iter().copied().zip(numbers(self))
    }

    /// Changes one setting.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if there is none of this name, or it takes other numbers.
    pub fn set(&mut self, name: &str, number: u64) -> Result<(), SettingError> {
        let mut changed = self.clone();
        match set(&mut changed, name, number) {
            Ok(true) if changed.is_usable() => *self = changed,
            Ok(false) => return Err(SettingError::Unknown(name.to_owned())),
            Ok(true) | Err(()) => return Err(SettingError::OutOfRange(name.to_owned(), number)),
        }
        Ok(())
    }

    /// Whether a page comes to anything with it, and to rest.
    fn is_usable(&self) -> bool {
        (1..=miniature_api::BATCH_LIMIT).contains(&self.batch_users)
            && self.requests_at_once > 0
            && self.write_users > 0
            && self.longest_sleep >= Duration::from_secs(1)
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.settings())
    }
}

/// A setting that is not known is left alone: another version may have more.
impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut policy = Self::default();
        for (name, number) in Vec::<(String, u64)>::deserialize(deserializer)? {
            match policy.set(&name, number) {
                Err(SettingError::OutOfRange(..)) => {
                    return Err(de::Error::custom("a setting is out of range"));
                }
                Ok(()) | Err(SettingError::Unknown(_)) => {}
            }
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_read_as_it_was_written() {
        let mut policy = Policy::default();
        for (nth, name) in NAMES.iter().enumerate() {
            let number = match *name {
                "preview_up_to_px" => 256,
                "prefetch" => 0,
                "batch_users" => 20,
                _ => 1_000 + nth as u64,
            };
            policy.set(name, number).unwrap();
        }
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        assert_ne!(policy, Policy::default());
    }

    #[test]
    fn no_field_is_without_a_name() {
        let fields = format!("{:?}", Policy::default());
        let groups = ["Limits {", "Shed {"].map(|group| fields.matches(group).count());
        let groups: usize = groups.into_iter().sum();
        assert_eq!(NAMES.len(), fields.matches(": ").count() - groups, "{fields}");
    }

    #[test]
    fn what_is_no_setting_is_refused_and_changes_nothing() {
        let mut policy = Policy::default();
        assert_eq!(policy.set("memory", 1), Err(SettingError::Unknown("memory".into())));
        let refused = policy.set("preview_up_to_px", 65).unwrap_err();
        assert_eq!(refused.to_string(), "`preview_up_to_px` cannot be 65");
        for (name, number) in [("batch_users", 0), ("batch_users", 51), ("requests_at_once", 0)] {
            assert!(policy.set(name, number).is_err(), "{name} {number}");
        }
        assert_eq!(policy, Policy::default());
        let other = r#"[["memory_users", 7], ["of_another_version", 9]]"#;
        assert_eq!(serde_json::from_str::<Policy>(other).unwrap().memory.entries, 7);
    }
}
