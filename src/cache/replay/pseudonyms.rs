//! Recordings that name nobody.
//!
//! What a core does depends on which texts are the same, and on the order of ids, but on no name. So each text is
//! replaced by its place among all of its kind.

mod scrub;

use std::collections::BTreeMap;

use miniature_api::{Lineage, UserId};
use serde::{Serialize, Serializer};

use super::{Call, Inventory, Recording};
use crate::cache::{clock::Now, policy::Policy};
use scrub::Scrubbed;

/// What stands in the place of each text of some recordings.
#[derive(Clone, Debug, Default)]
pub struct Pseudonyms {
    /// Texts of a kind in their order, each with its number.
    kinds: BTreeMap<Kind, BTreeMap<String, usize>>,
}

/// Texts that are read back as something of a shape of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// 32 hexadecimal digits.
    Image,
    /// A UUID, as posts have.
    Uuid,
    /// A user's id, a name, or any other text.
    Word,
}

impl Pseudonyms {
    /// For all of these texts.
    pub fn of(texts: impl IntoIterator<Item = String>) -> Self {
        let mut names = Self::default();
        texts.into_iter().for_each(|text| names.note(&text));
        for texts in names.kinds.values_mut() {
            texts.values_mut().enumerate().for_each(|(nth, number)| *number = nth + 1);
        }
        names
    }

    fn note(&mut self, text: &str) {
        if let Some((marked, _)) = marker(text) {
            return self.note(marked);
        }
        if let Some(kind) = kind_of(text) {
            self.kinds.entry(kind).or_default().insert(text.to_owned(), 0);
        }
    }

    /// What stands in the place of a text: itself, if it tells of nobody.
    pub fn text(&self, text: &str) -> String {
        if let Some((marked, nonce)) = marker(text) {
            return format!("{}.{nonce}", self.text(marked));
        }
        let Some(kind) = kind_of(text) else { return text.to_owned() };
        let number = self.kinds.get(&kind).and_then(|texts| texts.get(text)).copied();
        // One that was never noted is the same as all others of that sort.
        let number = number.unwrap_or_default();
        match kind {
            Kind::Image => format!("{number:032x}"),
            Kind::Uuid => format!("00000000-0000-7000-8000-{number:012x}"),
            Kind::Word => format!("person-{number:06}"),
        }
    }
}

/// The user and the rest of a session's marker.
fn marker(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('.').filter(|(user, nonce)| {
        user.parse::<UserId>().is_ok() && nonce.len() == 8 && nonce.bytes().all(is_hex)
    })
}

/// None for what tells of nobody: nothing, a lineage, a place in the stream of events, a media type.
fn kind_of(text: &str) -> Option<Kind> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_event = text.split_once('-').is_some_and(|(ms, nth)| is_number(ms) && is_number(nth));
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    if text.is_empty() || text.parse::<Lineage>().is_ok() || is_event || text.starts_with("image/")
    {
        None
    } else if text.len() == 32 && text.bytes().all(is_hex) {
        Some(Kind::Image)
    } else if parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| is_hex(byte) || byte == b'-') {
        Some(Kind::Uuid)
    } else {
        Some(Kind::Word)
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Recordings as they are written, with other texts.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "what replaces texts has none")]
pub struct Renamed<'a>(pub &'a [Recording], pub &'a dyn Fn(&str) -> String);

impl Serialize for Renamed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(session, names) = *self;
        serializer.collect_seq(session.iter().map(|recording| Nameless::of(recording, names)))
    }
}

/// [`Recording`], of which policy and seed name nobody.
#[derive(Serialize)]
struct Nameless<'a> {
    policy: &'a Policy,
    #[serde(serialize_with = "super::tape::hex::serialize")]
    seed: u64,
    visible: bool,
    began: Now,
    held: Option<Scrubbed<'a, Inventory>>,
    is_cut: bool,
    calls: Scrubbed<'a, [(Now, Call)]>,
}

impl<'a> Nameless<'a> {
    fn of(recording: &'a Recording, names: &'a dyn Fn(&str) -> String) -> Self {
        let Recording { policy, seed, visible, began, held, is_cut, calls } = recording;
        Self {
            policy,
            seed: *seed,
            visible: *visible,
            began: *began,
            held: held.as_deref().map(|held| Scrubbed(held, names)),
            is_cut: *is_cut,
            calls: Scrubbed(calls, names),
        }
    }
}
