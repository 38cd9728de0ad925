//! `window.cacheMonitor`: the cache, from the browser's console.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsValue, prelude::Closure};

const NAME: &str = "cacheMonitor";

/// What the functions of `window.cacheMonitor` do.
pub struct Commands {
    /// `getMetrics()`: the metrics, as an object.
    pub get_metrics: Box<dyn FnMut() -> JsValue>,
    /// `logSummary()`: a few lines for people, which are also returned.
    pub log_summary: Box<dyn FnMut() -> String>,
    /// `export()`: the metrics as a JSON text.
    pub export: Box<dyn FnMut() -> String>,
    /// `clear()`: empties every layer; a promise that resolves when done.
    pub clear: Box<dyn FnMut() -> js_sys::Promise>,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commands").finish_non_exhaustive()
    }
}

/// `window.cacheMonitor`, there until dropped.
#[derive(Debug)]
#[must_use = "a dropped console is gone from the window"]
pub struct Console {
    _functions: [JsValue; 4],
}

impl Console {
    /// Puts `cacheMonitor` on the window; none if the browser refuses.
    pub fn install(commands: Commands) -> Option<Self> {
        let Commands { get_metrics, mut log_summary, mut export, clear } = commands;
        let functions = [
            ("getMetrics", Closure::wrap(get_metrics).into_js_value()),
            ("logSummary", function(move || log(log_summary()))),
            ("export", function(move || export().into())),
            ("clear", Closure::wrap(clear).into_js_value()),
        ];
        let monitor = Object::new();
        for (name, function) in &functions {
            Reflect::set(&monitor, &JsValue::from(*name), function).ok()?;
        }
        Reflect::set(&JsValue::from(web_sys::window()?), &JsValue::from(NAME), &monitor).ok()?;
        Some(Self { _functions: functions.map(|(_, function)| function) })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let _ = Reflect::delete_property(&window, &JsValue::from(NAME));
        }
    }
}

fn function(call: impl FnMut() -> JsValue + 'static) -> JsValue {
    Closure::<dyn FnMut() -> JsValue>::new(call).into_js_value()
}

fn log(summary: String) -> JsValue {
    let summary = JsValue::from(summary);
    web_sys::console::log_1(&summary);
    summary
}
