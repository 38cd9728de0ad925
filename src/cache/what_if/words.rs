//! Advice in words.

use super::{Advice, Advised, Change, Forecast};
use crate::cache::figure::Figure;

impl Advised {
    /// What came of the session, and what memory could have had of it.
    pub fn in_words(&self) -> String {
        let Self { now, looks, unbounded_hits, clairvoyant_hits, .. } = self;
        let memory = share(now.from_memory, now.requests);
        let share = |hits: u64| share(hits, *looks);
        format!(
            "In the recorded session caches answered {} of {} requests, memory {}. Of looks at somebody again it \
             could answer {} of all in its size, if it knew what comes, and {} with room for all; the rest of what \
             it answers was loaded ahead.",
            Figure::Share(now.hit_rate()),
            Figure::Count(now.requests),
            memory,
            share(*clairvoyant_hits),
            share(*unbounded_hits),
        )
    }
}

impl Advice {
    /// What it gains, in points of the hit rate.
    pub fn points(&self, now: &Forecast) -> f64 {
        (self.then.hit_rate() - now.hit_rate()) * 100.0
    }

    /// What to change.
    pub fn changes_in_words(&self) -> String {
        let words = |Change { name, from, to }: &Change| {
            format!("{name} {} → {}", figure(name, *from), figure(name, *to))
        };
        self.changes.iter().map(words).collect::<Vec<_>>().join(", ")
    }

    /// From what to what, as far as it differs.
    pub fn gain_in_words(&self, now: &Forecast) -> String {
        let then = &self.then;
        let ms =
            |forecast: &Forecast| forecast.median_ms.map_or(Figure::Unmeasured, Figure::Millis);
        let bytes = |bytes: u64| Figure::Bytes(bytes);
        let pairs = [
            ("hits", Figure::Share(now.hit_rate()), Figure::Share(then.hit_rate())),
            (
                "requests to the API",
                Figure::Count(now.api_requests),
                Figure::Count(then.api_requests),
            ),
            ("received", bytes(now.bytes_from_network), bytes(then.bytes_from_network)),
            ("median time", ms(now), ms(then)),
            ("stored", bytes(now.stored_bytes), bytes(then.stored_bytes)),
        ];
        let told = pairs.into_iter().filter_map(|(name, now, then)| {
            let (now, then) = (now.to_string(), then.to_string());
            (now != then).then(|| format!("{name} {now} → {then}"))
        });
        format!("{}.", told.collect::<Vec<_>>().join("; "))
    }
}

/// A setting's number in the unit in which its name ends.
#[expect(clippy::cast_precision_loss, reason = "no limit is above 2^53")]
fn figure(name: &str, number: u64) -> Figure {
    if name.ends_with("_ms") {
        Figure::Millis(number as f64)
    } else if name.ends_with("_bytes") {
        Figure::Bytes(number)
    } else {
        Figure::Count(number)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn share(hits: u64, of: u64) -> Figure {
    Figure::Share(hits as f64 / of.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_told_by_what_differs() {
        let now = Forecast {
            requests: 1000,
            hits: 941,
            from_memory: 500,
            api_requests: 60,
            bytes_from_network: 5_000,
            median_ms: Some(12.0),
            ..Forecast::default()
        };
        let then = Forecast { hits: 978, api_requests: 22, median_ms: None, ..now };
        let change = |name: &str, from, to| Change { name: name.into(), from, to };
        let changes =
            vec![change("memory_users", 200, 400), change("memory_bytes", 5_000_000, 20_000_000)];
        let advice = Advice { changes, then };
        assert_eq!(
            advice.gain_in_words(&now),
            "hits 94.1% → 97.8%; requests to the API 60 → 22; median time 12 ms → –."
        );
        assert_eq!(
            advice.changes_in_words(),
            "memory_users 200 → 400, memory_bytes 5.0 MB → 20.0 MB"
        );
        let (looks, clairvoyant_hits, unbounded_hits) = (1000, 750, 900);
        let advised =
            Advised { now, looks, unbounded_hits, clairvoyant_hits, advice: vec![advice] };
        let told = advised.in_words();
        assert!(told.starts_with("In the recorded session caches answered 94.1% of "), "{told}");
        assert!(told.contains("could answer 75% of all in its size"), "{told}");
        assert!(told.contains("and 90% with room for all"), "{told}");
    }
}
