//! Text as people take it apart, which is a matter of large tables. The browser has them.

/// The first letter of a text as a reader takes it: with its accents, or a whole emoji.
///
/// # Source
///
/// Extended grapheme clusters, Unicode Standard Annex 29.
pub fn first_letter(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let first = letters.next()?;
    // Of two such none is a mark. Chromium takes 10 ms to make its first segmenter.
    let is_plain = |letter: char| (' '..'\u{300}').contains(&letter);
    let stands_alone = is_plain(first) && letters.next().is_none_or(is_plain);
    let cluster = if stands_alone { None } else { cluster(text) };
    Some(cluster.unwrap_or_else(|| first.to_string()))
}

/// None in browsers from before 2024 that cannot tell.
#[cfg(target_arch = "wasm32")]
fn cluster(text: &str) -> Option<String> {
    use js_sys::{Array, Intl, Object, Reflect};

    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    if !Reflect::has(&intl, &"Segmenter".into()).ok()? {
        return None;
    }
    let segments = Intl::Segmenter::new(&Array::new(), &Object::new()).segment(text);
    Some(segments.containing(0)?.segment().into())
}

/// A text without its capitals and accents, to be compared with others.
///
/// # Source
///
/// Compatibility decomposition (Unicode Standard Annex 15), less the marks, in small letters.
#[cfg(target_arch = "wasm32")]
pub fn folded(text: &str) -> String {
    let parts = js_sys::JsString::from(text).normalize("NFKD");
    let marks = js_sys::RegExp::new(r"\p{M}", "gu");
    parts.replace_by_pattern(&marks, "").to_lower_case().into()
}

/// A text without its capitals, to be compared with others.
#[cfg(not(target_arch = "wasm32"))]
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(not(target_arch = "wasm32"))]
fn cluster(text: &str) -> Option<String> {
    use unicode_segmentation::UnicodeSegmentation;

    text.graphemes(true).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_its_marks() {
        let cases = [
            ("Ada", "A"),
            ("Éva", "É"),
            ("E\u{301}va", "E\u{301}"),
            ("x", "x"),
            ("👩‍🚀 Ada", "👩‍🚀"),
            ("3\u{20e3}", "3\u{20e3}"),
            ("क्षमा", "क्ष"),
        ];
        for (text, expected) in cases {
            assert_eq!(first_letter(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(first_letter(""), None);
    }

    #[test]
    fn plain_letters_stand_alone_by_the_annex_too() {
        let plain = (' '..'\u{300}').collect::<Vec<_>>();
        for first in &plain {
            for second in &plain {
                let text = format!("{first}{second}");
                assert_eq!(cluster(&text), Some(first.to_string()), "{text:?}");
            }
        }
    }
}
