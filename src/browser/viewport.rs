//! What is in view, on what kind of screen, at what cost.

use super::listener::Listener;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// How many physical pixels make a CSS pixel.
pub fn device_pixel_ratio() -> f64 {
    web_sys::window().map_or(1.0, |window| window.device_pixel_ratio())
}

/// Calls `callback` whenever a CSS pixel may have come to be more physical pixels, or fewer: the page
/// is zoomed, or its window moves to another screen.
pub fn on_density(callback: impl Fn() + Clone + 'static) -> [Option<Listener>; 2] {
    let zoomed = callback.clone();
    // A window that moves keeps its size in CSS pixels: only a query notices, and only across a bound.
    let query = |window: web_sys::Window| window.match_media(BOUND).ok().flatten();
    let query = web_sys::window().and_then(query);
    [
        Listener::on_window("resize", move |_| zoomed()),
        query.and_then(|query| Listener::on(&query, "change", move |_| callback())),
    ]
}

/// Plain screens on one side, dense ones on the other.
const BOUND: &str = "(min-resolution: 1.5dppx)";

/// Whether to load nothing that nobody asks for: the user wants as little traffic as possible, or the line
/// is slow. Only Chromium says so.
pub fn spares_traffic() -> bool {
    let get = |from: &JsValue, name| js_sys::Reflect::get(from, &JsValue::from(name)).ok();
    web_sys::window()
        .and_then(|window| get(&window.navigator(), "connection"))
        .filter(JsValue::is_object)
        .is_some_and(|connection| {
            let kind = get(&connection, "effectiveType").and_then(|kind| kind.as_string());
            get(&connection, "saveData").is_some_and(|saves| saves.is_truthy())
                || kind.is_some_and(|kind| kind != FAST)
        })
}

/// What the [Network Information API](https://wicg.github.io/netinfo/#effectiveconnectiontype-enum) calls
/// the fastest kind of line: over 700 kbit/s, a round trip under 270 ms.
const FAST: &str = "4g";

/// Watches elements come into view and leave it, until dropped.
#[derive(Debug)]
#[must_use = "a dropped viewport sees nothing"]
pub struct Viewport {
    observer: IntersectionObserver,
    _callback: Closure<dyn FnMut(js_sys::Array)>,
}

impl Viewport {
    /// Calls `callback` with an element and whether it is now within `margin` of the viewport
    /// (CSS, as `"200px 0px"`); once for each element soon after it is observed. None if the
    /// browser has no such API.
    pub fn new(margin: &str, callback: impl Fn(Element, bool) + 'static) -> Option<Self> {
        let callback = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            for entry in entries.iter() {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                callback(entry.target(), entry.is_intersecting());
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root_margin(margin);
        let function = callback.as_ref().unchecked_ref();
        let observer = IntersectionObserver::new_with_options(function, &options).ok()?;
        Some(Self { observer, _callback: callback })
    }

    /// Watches an element.
    pub fn observe(&self, element: &Element) {
        self.observer.observe(element);
    }

    /// Watches it no longer.
    pub fn unobserve(&self, element: &Element) {
        self.observer.unobserve(element);
    }
}

impl Drop for Viewport {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
