//! What the demo people have written.

use miniature_api::{IdError, PostId};
use uuid::Builder;

/// When the last of them was written, in seconds since 1970: 31 March 2026, in the evening. Long
/// enough ago that whatever is written from now on comes after it.
const LAST: u64 = 1_774_989_000;

/// How far apart they were written, in seconds. No whole number of hours, so that not all were
/// written at the same minute.
const APART: u64 = 5 * 3_600 + 17 * 60;

/// What someone has written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Who.
    pub(super) author: &'static str,
    /// What.
    pub(super) text: &'static str,
    /// When, in seconds since 1970.
    pub(super) at: u64,
}

/// Every post, the newest first.
pub(super) fn everything() -> impl Iterator<Item = Written> {
    (0..).zip(POSTS).map(|(n, (author, text))| Written { author, text, at: LAST - n * APART })
}

impl Written {
    /// The same on every machine, so that a second time adds nothing.
    pub(super) fn id(&self) -> Result<PostId, IdError> {
        let hash = blake3::hash(self.text.as_bytes());
        let mut rest = [0; 10];
        rest.copy_from_slice(&hash.as_bytes()[..10]);
        let id = Builder::from_unix_timestamp_millis(self.at * 1_000, &rest).into_uuid();
        id.to_string().parse()
    }
}

/// Author and text, the newest first.
const POSTS: [(&str, &str); 40] = [
    ("ada", "The Engine weaves algebraic patterns. Today it wove one that I had not asked for."),
    ("agnes-holm", "Finished a binding that took eleven weeks. It opens flat."),
    ("grace", "Found the bug. It had wings."),
    ("deepa-krishnan", "Four nights of hydrogen line data, and one very clear goose."),
    ("anders-nyberg", "Fog until noon. We went by the bell, as my father did."),
    ("alba-ferrer", "If you are awake at four, the first loaves are on the sill."),
    ("finn-oleary", "A piano that was not touched since 1974 is in tune again."),
    ("amara-okafor", "Kiln opened. Two cracked, nine did not, one is better than I am."),
    ("astrid-moen", "The glacier is eleven metres shorter than when I was here last."),
    ("chiyo-matsuda", "Moved one stone. The garden is done."),
    ("antonio-bellini", "Varnish needs three more weeks. Please stop asking, Cecilia."),
    ("grace", "A ship in port is safe, but that is not what ships are for."),
    ("edith-okonkwo", "Someone returned a book from 1988, with a note and a pressed fern."),
    ("felix-brandt", "Sold the green Olympia to a girl of nine. She asked for its manual."),
    ("elena-markova", "A clean double at last. She did not notice; she was laughing."),
    ("bonnie-mcallister", "Polished the lens. Counted the steps again: still 214."),
    ("benedikt-huber", "The cows are up. So is the price of rennet."),
    ("frida-solberg", "Warp of 640 threads, and I miscounted at 639."),
    ("ada", "Wrote a note longer than the paper that it is a note to."),
    ("camille-laurent", "Restored 40 seconds of a film whose title nobody knows."),
    ("fiona-campbell", "Peat grows a millimetre a year. I am learning patience from it."),
    ("desmond-clarke", "A dog sang along in the park today. In tune, mostly."),
    ("esther-goldman", "Found a typographical error on a gravestone. Said nothing."),
    ("clara-weiss", "Room 204: please do not move the mirror. Any mirror."),
    ("dmitri-sokolov", "His move arrived, dated August. It is a good one."),
    ("gwen-parry", "Sheep 3, dogs 1, sonnets 0."),
    ("bilal-haddad", "The night bus runs every twenty minutes from Monday."),
    ("henrik-dahl", "She floats, and where I thought the waterline would be."),
    ("georgia-papadaki", "A sherd with a thumbprint. Somebody was in a hurry, once."),
    ("hana-novak", "Removed tape from 1931 with a brush and an hour a centimetre."),
    ("bruno-teixeira", "Roasted too dark on purpose. Somebody out there likes it."),
    ("dorothea-lang", "Bees first, deeds after lunch."),
    ("arash-karimi", "My compiler compiles itself and refuses my poetry."),
    ("emil-sandberg", "Forty-one parcels, no rain, one puncture."),
    ("ilse-vermeer", "The black one is still only very dark purple."),
    ("carlos-mendoza", "Nobody cried on the ward today. Not even me."),
    ("giulia-romano", "Five courses, one of them a radish. The radish was the best."),
    ("grace", "Handed out nanoseconds again: 29.98 centimetres of wire each."),
    ("haruto-mori", "The 7:14 left at 7:14."),
    ("ibrahim-sesay", "The roof of the library holds. School goes on."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::people::everyone;

    #[test]
    fn every_post_has_an_author_and_an_id_in_the_order_of_writing() {
        let people = everyone().map(|person| person.id).collect::<BTreeSet<_>>();
        let ids = everything().map(|written| {
            assert!(people.contains(written.author), "{}", written.author);
            written.id().unwrap()
        });
        let ids = ids.collect::<Vec<_>>();
        assert!(ids.is_sorted_by(|newer, older| newer > older));
        assert_eq!(ids.len(), 40);
    }
}
