//! A notice that stands over the page while something of it is not real.

const ID: &str = "miniature-simulating";

/// Shows a sentence, in the place of the last one; none takes it away.
pub fn show(text: Option<&str>) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let old = document.get_element_by_id(ID);
    let Some(text) = text else {
        old.into_iter().for_each(|old| old.remove());
        return;
    };
    let made = || {
        let badge = document.create_element("p").ok()?;
        badge.set_id(ID);
        // An element of one's own takes any attribute.
        let _ = badge.set_attribute("data-simulating", "");
        let _ = badge.set_attribute("role", "status");
        document.body()?.append_child(&badge).ok()?;
        Some(badge)
    };
    if let Some(badge) = old.or_else(made) {
        badge.set_text_content(Some(text));
    }
}
