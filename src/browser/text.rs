//! Text as people take it apart, which is a matter of large tables. The browser has them.

/// The first letter of a text as a reader takes it: with its accents, or a whole emoji.
///
/// # Source
///
/// Extended grapheme clusters, Unicode Standard Annex 29.
pub fn first_letter(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    Some(cluster(text).unwrap_or_else(|| first.to_string()))
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

#[cfg(not(target_arch = "wasm32"))]
fn cluster(text: &str) -> Option<String> {
    use unicode_segmentation::UnicodeSegmentation;

    text.graphemes(true).next().map(str::to_owned)
}
