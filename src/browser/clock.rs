//! The browser's clocks and timer.

use std::time::Duration;

use futures_channel::oneshot;
use wasm_bindgen::{JsCast, prelude::Closure};

use super::number;
use crate::cache::clock::{Clock, Timestamp};

/// `Date.now`, `performance.now` and `setTimeout`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        Timestamp(number::whole(js_sys::Date::now()))
    }

    fn elapsed(&self) -> Duration {
        let millis = web_sys::window().and_then(|window| window.performance());
        let millis = millis.map_or(0.0, |performance| performance.now());
        Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        if let Some((_timer, rings)) = Timer::set(duration) {
            let _ = rings.await;
        }
    }
}

/// A timer that is cleared when dropped.
#[derive(Debug)]
struct Timer {
    id: i32,
    _ring: Closure<dyn FnMut()>,
}

impl Timer {
    /// None without a window: nothing could ring.
    fn set(duration: Duration) -> Option<(Self, oneshot::Receiver<()>)> {
        let (ring, rings) = oneshot::channel();
        let ring = Closure::once(move || {
            let _ = ring.send(());
        });
        let id = web_sys::window()?
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                ring.as_ref().unchecked_ref(),
                number::timer_millis(duration),
            )
            .ok()?;
        Some((Self { id, _ring: ring }, rings))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.id);
        }
    }
}
