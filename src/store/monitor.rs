//! What `window.cacheMonitor` offers. It comes with the later half of the program; what its methods do, when one
//! is called first.

mod methods;

use wasm_bindgen::JsValue;

use crate::{
    browser::monitor::{self, Method},
    cache::metrics::Metrics,
};

type Act = fn(JsValue) -> Result<JsValue, JsValue>;

const METHODS: [(&str, Act); 21] = [
    ("getMetrics", methods::get_metrics),
    ("export", methods::export),
    ("import", methods::import),
    ("imported", methods::imported),
    ("logSummary", methods::log_summary),
    ("explain", methods::explain_load),
    ("entry", methods::entry),
    ("storage", methods::storage),
    ("policy", methods::policy),
    ("subscribe", methods::subscribe),
    ("persist", methods::persist),
    ("clear", methods::clear),
    ("reset", methods::reset),
    ("sync", methods::sync),
    ("prefetch", methods::prefetch),
    ("invalidate", methods::invalidate),
    ("bypass", methods::bypass),
    ("compare", methods::compare),
    ("simulate", methods::simulate),
    ("record", methods::record),
    ("advise", methods::advise),
];

/// Offers it for the life of the document.
#[inline(never)]
pub(super) fn offer() {
    monitor::offer(METHODS.map(|(name, act)| (name, Box::new(act) as Method)));
}

/// What was counted so far.
pub(super) fn metrics() -> Metrics {
    methods::metrics()
}
