//! `window.cacheMonitor`: the cache from outside, for the browser's console and for the dashboard.
//!
//! Its types for people are in `public/cache-monitor.d.ts`.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};

const NAME: &str = "cacheMonitor";

/// What a method does with its argument, which is `undefined` if the caller gives none; what it throws.
pub type Method = Box<dyn Fn(JsValue) -> Result<JsValue, JsValue>>;

/// Puts `cacheMonitor` on the window, for the life of the document.
pub fn offer(methods: impl IntoIterator<Item = (&'static str, Method)>) {
    let Some(window) = web_sys::window() else { return };
    let monitor = Object::new();
    for (name, method) in methods {
        let method = Closure::wrap(method).into_js_value();
        // An object of one's own takes any property.
        let _ = Reflect::set(&monitor, &name.into(), &method);
    }
    let _ = Reflect::set(&window, &NAME.into(), &monitor);
}

#[wasm_bindgen]
extern "C" {
    /// What the page offers to the dashboard.
    #[derive(Clone, Debug)]
    pub type CacheMonitor;

    /// What was counted: `cache::metrics::Metrics` as an object.
    #[wasm_bindgen(method, js_name = getMetrics)]
    pub fn get_metrics(this: &CacheMonitor) -> JsValue;

    /// The same with what was recorded as a JSON text; with pseudonyms unless the names are asked for.
    #[wasm_bindgen(method)]
    pub fn export(this: &CacheMonitor, names: bool) -> String;

    /// Has the documents of this tab record what their cores are told, from the next one on, or no more.
    #[wasm_bindgen(method)]
    pub fn record(this: &CacheMonitor, on: bool);

    /// The same with other settings, by name.
    #[wasm_bindgen(method, catch, js_name = record)]
    pub fn record_with(this: &CacheMonitor, settings: &Object) -> Result<JsValue, JsValue>;

    /// How many documents of this tab are recorded, this one included; 0 where it does not record.
    #[wasm_bindgen(method, catch, js_name = record)]
    pub fn recorded(this: &CacheMonitor) -> Result<u32, JsValue>;

    /// What changes of the policy would have gained in what was recorded: `cache::what_if::Advised` as an object, or
    /// null.
    #[wasm_bindgen(method, catch)]
    pub async fn advise(this: &CacheMonitor) -> Result<JsValue, JsValue>;

    /// Empties every layer. What is on screen stays there.
    #[wasm_bindgen(method)]
    pub fn clear(this: &CacheMonitor);

    /// Counts from zero.
    #[wasm_bindgen(method)]
    pub fn reset(this: &CacheMonitor);

    /// Renews what ends soon; resolves to a sentence that says what came of it.
    #[wasm_bindgen(method, catch)]
    pub async fn sync(this: &CacheMonitor) -> Result<JsValue, JsValue>;

    /// Asks what may be stored, and what is; [`Self::get_metrics`] has it then, too.
    #[wasm_bindgen(method, catch)]
    pub async fn storage(this: &CacheMonitor) -> Result<JsValue, JsValue>;

    /// What each layer holds of a user: `cache::holding::Holding` as objects.
    #[wasm_bindgen(method, catch)]
    pub async fn entry(this: &CacheMonitor, user: &str) -> Result<JsValue, JsValue>;

    /// Asks the server about a user's picture, whatever is held.
    #[wasm_bindgen(method, catch)]
    pub fn invalidate(this: &CacheMonitor, user: &str) -> Result<(), JsValue>;

    /// Loads the large pictures of everybody in the list.
    #[wasm_bindgen(method)]
    pub fn prefetch(this: &CacheMonitor) -> u32;

    /// Has all pictures be plain `<img>`s, or again of the cache. Returns which they are.
    #[wasm_bindgen(method)]
    pub fn bypass(this: &CacheMonitor, on: bool) -> bool;

    /// Whether all pictures are plain `<img>`s.
    #[wasm_bindgen(method, js_name = bypass)]
    pub fn is_bypassed(this: &CacheMonitor) -> bool;

    /// How long the pictures in view take, in milliseconds: as plain `<img>`s, as the same again, by the cache.
    #[wasm_bindgen(method, catch)]
    pub async fn compare(this: &CacheMonitor) -> Result<JsValue, JsValue>;

    /// Has a layer in trouble: `cache::trouble::Wish` as an object.
    #[wasm_bindgen(method, catch)]
    pub fn simulate(this: &CacheMonitor, wish: &JsValue) -> Result<(), JsValue>;

    /// Has an exported text looked at in the place of the page's own figures.
    #[wasm_bindgen(method, catch)]
    pub fn import(this: &CacheMonitor, text: &str) -> Result<(), JsValue>;

    /// Goes back to the page's own figures.
    #[wasm_bindgen(method, js_name = import)]
    pub fn import_nothing(this: &CacheMonitor);

    /// What is looked at instead: `cache::metrics::Metrics` as an object, or null.
    #[wasm_bindgen(method)]
    pub fn imported(this: &CacheMonitor) -> JsValue;

    /// Asks the browser to keep the storage when the disk is full.
    #[wasm_bindgen(method, catch)]
    pub async fn persist(this: &CacheMonitor) -> Result<JsValue, JsValue>;

    /// Calls back when figures have changed, at most four times a second, until the function that it
    /// returns is called.
    #[wasm_bindgen(method)]
    pub fn subscribe(this: &CacheMonitor, callback: &Function) -> Function;
}

/// What the page offers, once the page has all of its program.
pub fn of_the_page() -> Option<CacheMonitor> {
    let window = web_sys::window()?;
    let monitor = Reflect::get(&window, &NAME.into()).ok()?;
    monitor.is_object().then(|| monitor.unchecked_into())
}
