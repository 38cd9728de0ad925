//! Who knows whom among the demo people.

use super::people::{ADA, GRACE, others};

/// How many of the others `ada` knows; with `grace` that makes a hundred.
const ADAS_FRIENDS: usize = 99;

/// How far apart in the list of names two are who know each other.
const NEIGHBOURS: [usize; 3] = [1, 3, 7];

/// Every friendship, once.
pub(super) fn pairs() -> Vec<(&'static str, &'static str)> {
    let ids = others().map(|person| person.id).collect::<Vec<_>>();
    let adas = ids.iter().enumerate().filter(|(n, _)| n % 5 != 4).take(ADAS_FRIENDS);
    let graces = ids.iter().step_by(2);
    let neighbours = ids
        .iter()
        .enumerate()
        .flat_map(|(n, id)| NEIGHBOURS.map(|distance| (*id, ids[(n + distance) % ids.len()])));
    std::iter::once((ADA.id, GRACE.id))
        .chain(adas.map(|(_, id)| (ADA.id, *id)))
        .chain(graces.map(|id| (GRACE.id, *id)))
        .chain(neighbours)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::people::{WITHOUT_PICTURE, everyone};

    fn friends_by_name(of: &str) -> Vec<&'static str> {
        let pairs = pairs();
        let ids = pairs.iter().filter_map(|(a, b)| match (*a == of, *b == of) {
            (true, _) => Some(*b),
            (_, true) => Some(*a),
            (false, false) => None,
        });
        let ids = ids.collect::<BTreeSet<_>>();
        let mut friends = everyone().filter(|p| ids.contains(p.id)).collect::<Vec<_>>();
        friends.sort_by_key(|person| (person.name, person.id));
        friends.into_iter().map(|person| person.id).collect()
    }

    #[test]
    fn ada_has_a_hundred_friends_and_the_first_fifty_have_pictures() {
        let friends = friends_by_name("ada");
        assert_eq!(friends.len(), 100);
        let without = friends.iter().map(|id| WITHOUT_PICTURE.contains(id)).collect::<Vec<_>>();
        assert!(!without[..50].contains(&true));
        assert_eq!(without.iter().filter(|without| **without).count(), 4);
    }

    #[test]
    fn grace_knows_some_of_adas_friends_and_some_others() {
        let (adas, graces) = (friends_by_name("ada"), friends_by_name("grace"));
        let common = graces.iter().filter(|id| adas.contains(id)).count();
        assert!(graces.len() >= 60, "{}", graces.len());
        assert!(common > 20 && common < graces.len());
    }

    #[test]
    fn everyone_is_somebody() {
        let ids = everyone().map(|person| person.id).collect::<BTreeSet<_>>();
        assert!(ids.len() >= 120);
        assert_eq!(ids.len(), everyone().count());
        assert!(WITHOUT_PICTURE.iter().all(|id| ids.contains(id)));
        assert!(ids.iter().all(|id| id.parse::<miniature_api::UserId>().is_ok()));
        assert!(ids.iter().all(|id| !friends_by_name(id).is_empty()));
    }
}
