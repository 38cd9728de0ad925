//! The clock: its timer rings, and is cleared when nobody waits for it.

use std::time::Duration;

use futures_util::FutureExt;
use miniature::{browser::clock::BrowserClock, cache::clock::Clock};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::script::Replaced;

#[wasm_bindgen_test]
async fn a_sleep_lasts_as_long_as_it_was_told() {
    let before = BrowserClock.elapsed();
    BrowserClock.sleep(Duration::from_millis(20)).await;
    // Browsers blur their clocks by up to a millisecond or two.
    assert!(BrowserClock.elapsed() - before >= Duration::from_millis(18));
}

#[wasm_bindgen_test]
fn a_sleep_that_nobody_waits_for_clears_its_timer() {
    let timers = Replaced::by(
        "const { setTimeout: set, clearTimeout: clear } = window;
         window.timers = new Set();
         window.setTimeout = (...args) => { const id = set(...args); timers.add(id); return id; };
         window.clearTimeout = (id) => { timers.delete(id); clear(id); };
         return () => Object.assign(window, { setTimeout: set, clearTimeout: clear });",
    );
    let running = || js_sys::eval("window.timers.size").unwrap().as_f64();

    let mut sleep = Box::pin(BrowserClock.sleep(Duration::from_secs(3600)));
    assert!(sleep.as_mut().now_or_never().is_none());
    assert_eq!(running(), Some(1.0));

    drop(sleep);
    assert_eq!(running(), Some(0.0));
    drop(timers);
}

#[wasm_bindgen_test]
fn the_wall_clock_is_later_than_this_test_was_written() {
    assert!(BrowserClock.now().0 > 1_750_000_000_000);
}
