//! What people write: names, headlines, posts.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

use crate::ApiError;

/// A field that people fill in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// The fewest characters, white space around them not counted.
    pub(super) least: usize,
    /// The most.
    pub(super) most: usize,
    /// Whether it may have several lines.
    pub(super) lines: bool,
}

impl Field {
    /// The text as it is kept: in Unicode's composed form (NFC), without the white space around it.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] (422): its length; a control character; one that turns the direction of
    /// what stands behind it, the rest of the page included; or nothing that shows.
    ///
    /// # Source
    ///
    /// Unicode Standard Annex 9 (embeddings, overrides and isolates) and Annex 44
    /// (`Default_Ignorable_Code_Point`).
    pub(super) fn take(self, text: &str) -> Result<String, ApiError> {
        let refused = |detail: &str| Err(ApiError::invalid(self.name, detail));
        let text = ComposingNormalizerBorrowed::new_nfc().normalize(text.trim());
        if text.chars().any(|c| c.is_control() && !(self.lines && matches!(c, '\n' | '\r' | '\t')))
        {
            return refused(if self.lines { "it is plain text" } else { "it is one line" });
        }
        if text.chars().any(turns) {
            return refused("it may not turn the direction of writing");
        }
        if !text.is_empty() && !text.chars().any(shows) {
            return refused("it shows nothing");
        }
        let Self { least, most, .. } = self;
        if !(least..=most).contains(&text.chars().count()) {
            return refused(&format!("it has {least} to {most} characters"));
        }
        Ok(text.into_owned())
    }
}

/// Whether a character turns the direction of those behind it.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character shows by itself.
fn shows(c: char) -> bool {
    const BLANK_BRAILLE: char = '\u{2800}';
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    !c.is_whitespace() && c != BLANK_BRAILLE && !ignorable.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Field = Field { name: "name", least: 1, most: 20, lines: false };
    const POST: Field = Field { name: "text", lines: true, ..NAME };

    #[test]
    fn names_in_any_script_are_taken_as_they_are_written() {
        let names = [
            "Ada Lovelace",
            "عائشة",
            "שָׁלוֹם",
            "நிலா",
            "👩‍👩‍👧 Kim",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "O’Neill-Ōe",
        ];
        for name in names {
            assert_eq!(NAME.take(name).unwrap(), name);
        }
        assert_eq!(NAME.take("  Ada\u{a0}").unwrap(), "Ada");
        assert_eq!(NAME.take("Zoe\u{308}").unwrap(), "Zoë", "one character, however it is typed");
        assert_eq!(NAME.take(&"e\u{301}".repeat(20)).unwrap().chars().count(), 20);
    }

    #[test]
    fn what_shows_nothing_or_turns_the_page_is_refused() {
        let refused = [
            ("nothing", ""),
            ("spaces", " \u{2003}\u{3000}"),
            ("a space without width", "\u{200b}"),
            ("a filler", "\u{3164}"),
            ("a blank", "\u{2800}\u{2800}"),
            ("tags", "\u{e0041}\u{e0042}"),
            ("joiners and selectors", "\u{200d}\u{fe0f}\u{ad}"),
            ("marks of direction alone", "\u{200e}\u{61c}"),
            ("an override", "Ada\u{202e}nimda"),
            ("an embedding", "\u{202b}Ada"),
            ("an isolate that never ends", "Ada\u{2067}"),
            ("a line", "Ada\nLovelace"),
            ("U+0000", "Ada\0"),
            ("too long", "aaaaaaaaaaaaaaaaaaaaa"),
        ];
        for (what, name) in refused {
            assert!(NAME.take(name).is_err(), "{what}");
        }
    }

    #[test]
    fn lines_stay_where_there_may_be_some() {
        assert_eq!(POST.take("one\r\n\ttwo\n").unwrap(), "one\r\n\ttwo");
        for text in ["\0", "a\u{1b}[31m", "\u{202e}a", "\u{200b}\n\u{2800}"] {
            assert!(POST.take(text).is_err(), "{text:?}");
        }
        let headline = Field { least: 0, ..NAME };
        assert_eq!(headline.take(" ").unwrap(), "");
        assert!(headline.take("\u{3164}").is_err());
    }
}
