//! Trouble that a developer has a layer in, to see what the page makes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{figure::Figure, key::Source};

/// What is the matter with a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Each call fails.
    Off,
    /// Each call begins so much later.
    Slow(Duration),
    /// Each write fails, as if the quota were spent.
    Full,
    /// What is read is no image.
    Corrupt,
}

/// What a developer asks for, as `window.cacheMonitor.simulate` takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Of which layer.
    pub layer: Source,
    /// `off`, `slow`, `full` or `corrupt`; `none` ends it.
    pub fault: Box<str>,
    /// How slow, in milliseconds.
    pub ms: Option<f64>,
}

/// The layers that are in trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles(Vec<(Source, Trouble)>);

/// The longest that a layer can be slow: a minute.
const SLOWEST_MS: f64 = 60_000.0;

impl Troubles {
    /// What is the matter with a layer, if anything is.
    pub fn of(&self, layer: Source) -> Option<Trouble> {
        self.0.iter().find(|(of, _)| *of == layer).map(|(_, trouble)| *trouble)
    }

    /// Whether nothing is the matter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has a layer in trouble, or ends that.
    ///
    /// # Errors
    ///
    /// A sentence, if the layer cannot be in this trouble. Nothing changes.
    pub fn set(&mut self, wish: &Wish) -> Result<(), String> {
        let trouble = trouble(wish)?;
        self.0.retain(|(of, _)| *of != wish.layer);
        self.0.extend(trouble.map(|trouble| (wish.layer, trouble)));
        Ok(())
    }

    /// In words, for the badge.
    pub fn in_words(&self) -> String {
        let told: Vec<String> =
            self.0.iter().map(|(layer, trouble)| told(*layer, *trouble)).collect();
        format!("Simulated until you reload: {}.", told.join(", "))
    }
}

/// LocalStorage is asked within a call, which nothing can delay; memory is the page itself.
fn trouble(wish: &Wish) -> Result<Option<Trouble>, String> {
    use Source::{IndexedDb, LocalStorage, Memory, Network, ServiceWorker};
    let ms = wish.ms.unwrap_or_default();
    Ok(Some(match (&*wish.fault, wish.layer) {
        ("none", _) => return Ok(None),
        ("off", LocalStorage | IndexedDb | ServiceWorker | Network) => Trouble::Off,
        ("slow", IndexedDb | ServiceWorker | Network) => match ms {
            ms if (1.0..=SLOWEST_MS).contains(&ms) => {
                Trouble::Slow(Duration::from_micros(whole(ms * 1_000.0)))
            }
            _ => return Err("`ms` is a time from 1 to 60 000.".to_owned()),
        },
        ("full", LocalStorage | IndexedDb | ServiceWorker) => Trouble::Full,
        ("corrupt", LocalStorage | IndexedDb | ServiceWorker) => Trouble::Corrupt,
        ("off" | "slow" | "full" | "corrupt", Memory | LocalStorage | Network) => {
            return Err(format!("{} cannot be {}.", wish.layer.label(), wish.fault));
        }
        (other, _) => {
            return Err(format!("`{other}` is none of off, slow, full, corrupt and none."));
        }
    }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(number: f64) -> u64 {
    number as u64
}

fn told(layer: Source, trouble: Trouble) -> String {
    let what = match trouble {
        Trouble::Off => "is off".to_owned(),
        Trouble::Slow(by) => format!("is {} slower", Figure::Millis(by.as_secs_f64() * 1e3)),
        Trouble::Full => "is full".to_owned(),
        Trouble::Corrupt => "is corrupt".to_owned(),
    };
    format!("{} {what}", layer.label())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(layer: Source, fault: &str, ms: Option<f64>) -> Wish {
        Wish { layer, fault: fault.into(), ms }
    }

    #[test]
    fn a_layer_is_in_one_trouble_at_a_time_and_out_of_it_again() {
        let mut troubles = Troubles::default();
        troubles.set(&wish(Source::IndexedDb, "slow", Some(250.0))).unwrap();
        troubles.set(&wish(Source::Network, "off", None)).unwrap();
        let words = "Simulated until you reload: IndexedDB is 250 ms slower, Network is off.";
        assert_eq!(troubles.in_words(), words);
        troubles.set(&wish(Source::IndexedDb, "full", None)).unwrap();
        assert_eq!(troubles.of(Source::IndexedDb), Some(Trouble::Full));
        troubles.set(&wish(Source::IndexedDb, "none", None)).unwrap();
        troubles.set(&wish(Source::Network, "none", None)).unwrap();
        assert!(troubles.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let mut troubles = Troubles::default();
        let cases = [
            (wish(Source::Memory, "off", None), "Memory cannot be off."),
            (wish(Source::LocalStorage, "slow", Some(9.0)), "LocalStorage cannot be slow."),
            (wish(Source::Network, "full", None), "Network cannot be full."),
            (wish(Source::Network, "corrupt", None), "Network cannot be corrupt."),
            (wish(Source::Network, "slow", None), "`ms` is a time from 1 to 60 000."),
            (wish(Source::Network, "slow", Some(f64::NAN)), "`ms` is a time from 1 to 60 000."),
            (wish(Source::Network, "slow", Some(60_001.0)), "`ms` is a time from 1 to 60 000."),
            (
                wish(Source::Network, "odd", None),
                "`odd` is none of off, slow, full, corrupt and none.",
            ),
        ];
        for (wish, expected) in cases {
            assert_eq!(troubles.set(&wish).unwrap_err(), expected, "{wish:?}");
        }
        assert!(troubles.is_empty());
    }
}
