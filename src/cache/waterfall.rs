//! Where loads stand beside each other in time.

use super::event::Load;

/// Loads that are asked for within so long of each other belong together, as those of a page do.
const TOGETHER_MS: f64 = 1_000.0;

/// How long after the first of its burst each load was asked for, in milliseconds, in the order given, which
/// is that in which they ended.
pub fn offsets(loads: &[Load]) -> Vec<f64> {
    let mut by_time: Vec<usize> = (0..loads.len()).collect();
    by_time.sort_by(|a, b| loads[*a].asked_ms.total_cmp(&loads[*b].asked_ms));
    let mut offsets = vec![0.0; loads.len()];
    let mut burst: Option<(f64, f64)> = None;
    for index in by_time {
        let asked = loads[index].asked_ms;
        let first = match burst {
            Some((first, last)) if asked - last <= TOGETHER_MS => first,
            _ => asked,
        };
        burst = Some((first, asked));
        offsets[index] = asked - first;
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{event::Outcome, key::Source};
    use miniature_api::Size;

    #[test]
    fn what_was_asked_for_together_stands_together() {
        let loads: Vec<Load> = [100.0, 40.0, 1_050.0, 9_000.0, 9_030.0, 7.0e6]
            .map(|asked_ms| Load {
                user: "ada".parse().unwrap(),
                size: Size::S64,
                outcome: Outcome::Shown(Source::Memory),
                asked_ms,
                took_ms: 5.0,
                bytes: 900,
                path: Vec::new(),
            })
            .into();
        assert_eq!(offsets(&loads), [60.0, 0.0, 1_010.0, 0.0, 30.0, 0.0]);
        assert_eq!(offsets(&[]), Vec::<f64>::new());
    }
}
