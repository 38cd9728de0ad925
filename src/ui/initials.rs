//! What stands in for a picture: a user's initials on a colour of their own.

use crate::browser::text;
use leptos::prelude::*;
use miniature_api::UserId;

/// How many colours `style/initials.css` has.
const TONES: u32 = 12;

/// Shown where a name holds nothing to show.
const NOBODY: &str = "?";

/// A user's initials on a colour of their own, in the shape of the picture that they stand in for.
#[component]
pub fn Initials(
    /// Whose initials: decides the colour.
    #[prop(into)]
    user: Signal<UserId>,
    /// The display name.
    #[prop(into)]
    name: Signal<String>,
    /// Whether to be read out as the name; `false` beside a visible name.
    #[prop(default = false)]
    labelled: bool,
) -> impl IntoView {
    view! {
        <span
            class=move || format!("initials tone-{}", user.with(tone))
            role=labelled.then_some("img")
            aria-label=move || labelled.then(|| name.get())
            aria-hidden=(!labelled).then_some("true")
        >
            {move || name.with(|name| initials(name))}
        </span>
    }
}

/// The first letters of a name's first and last word; of its only word, one; of no name, `?`.
///
/// A letter is what a reader takes for one: with its accents, or a whole emoji. Words without
/// letters or digits do not count, unless the name has no others. Capitals are the stylesheet's
/// doing, which the browser does with tables that it has anyway.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(first_letter);
    let (first, last) = (words.next(), words.next_back());
    match (first, last) {
        (Some(first), Some(last)) if may_join(&first) => format!("{first}{APART}{last}"),
        (Some(first), last) => first + &last.unwrap_or_default(),
        (None, _) => text::first_letter(name.trim()).unwrap_or_else(|| NOBODY.to_owned()),
    }
}

/// Keeps two letters from being written as one word: U+200C, ZERO WIDTH NON-JOINER.
const APART: char = '\u{200c}';

/// Whether a letter may be of a script that joins letters, as Arabic does: all of those come after it.
/// In the others of them [`APART`] is not seen.
fn may_join(letter: &str) -> bool {
    letter >= "\u{600}"
}

/// The number of a user's colour, from 0 to 11: the same in every browser, at every visit.
///
/// # Source
///
/// FNV-1a, 32 bits.
pub fn tone(user: &UserId) -> u32 {
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    user.as_str().bytes().fold(0x811c_9dc5, hash) % TONES
}

fn first_letter(word: &str) -> Option<String> {
    text::first_letter(&word[word.find(char::is_alphanumeric)?..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn initials_are_what_a_reader_takes_for_the_first_letters() {
        let cases = [
            ("two words", "Ada Lovelace", "AL"),
            ("three words", "Jean Sibelius Ek", "JE"),
            ("one word", "plato", "p"),
            ("spaces around", "  grace   hopper ", "gh"),
            ("accents, composed", "Émile Ångström", "ÉÅ"),
            ("accents, combining", "e\u{301}mile zola", "e\u{301}z"),
            ("Chinese, in one word", "王小明", "王"),
            ("Japanese, in two", "山田 太郎", "山\u{200c}太"),
            ("a word of punctuation", "Ada - Lovelace", "AL"),
            ("a nickname in brackets", "Robert (Bob)", "RB"),
            ("emoji after a name", "Fox 🦊", "F"),
            ("an emoji of several parts", "👩🏽‍🚀", "👩🏽‍🚀"),
            ("a flag", "🇫🇮 🇸🇪", "🇫🇮"),
            ("letters that join, apart", "علي حسن", "ع\u{200c}ح"),
            ("one letter that joins", "علي", "ع"),
            ("digits", "7 of 9", "79"),
            ("nothing", "", "?"),
            ("only spaces", " \u{3000} ", "?"),
        ];
        for (name, text, expected) in cases {
            assert_eq!(initials(text), expected, "{name}");
        }
    }

    #[test]
    fn a_user_keeps_their_colour() {
        let tones = ["ada", "grace", "user-1", "user-2"].map(|id| tone(&id.parse().unwrap()));
        assert_eq!(tones, [7, 7, 4, 1]);
    }

    #[test]
    fn every_colour_is_in_use_and_none_for_most_users() {
        let mut users = BTreeMap::new();
        for number in 0..1200 {
            let user: UserId = format!("user-{number}").parse().unwrap();
            *users.entry(tone(&user)).or_insert(0) += 1;
        }
        assert_eq!(users.len(), 12);
        assert!(users.values().all(|count| (50..=150).contains(count)), "{users:?}");
    }

    #[test]
    fn initials_are_readable_on_every_colour_in_light_and_dark() {
        let pairs = tone_pairs(include_str!("../../style/initials.css"));
        assert_eq!(pairs.len(), 24, "12 colours, light and dark");
        for (line, paper, ink) in pairs {
            let contrast = contrast(paper, ink);
            assert!(contrast >= 4.5, "{contrast:.2} in {line}");
        }
    }

    /// The lines of the form `.tone-N { background: #rrggbb; color: #rrggbb; }`.
    fn tone_pairs(css: &str) -> Vec<(&str, [f64; 3], [f64; 3])> {
        let tone_lines = css.lines().filter(|line| line.contains(".tone-"));
        tone_lines
            .map(|line| {
                let mut colours = line.split('#').skip(1).map(|hex| rgb(&hex[..6]));
                (line, colours.next().unwrap(), colours.next().unwrap())
            })
            .collect()
    }

    fn rgb(hex: &str) -> [f64; 3] {
        [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
    }

    /// The contrast ratio of WCAG 2.2, 1 to 21.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(rgb: [f64; 3]) -> f64 {
        let linear = |part: f64| {
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = rgb.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}
