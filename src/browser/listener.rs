//! Event listeners that end with their guard.

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Event, EventTarget};

/// Listens until dropped.
#[derive(Debug)]
#[must_use = "a dropped listener hears nothing"]
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `callback` at each `event` of `target`; none if the browser refuses.
    pub fn on(
        target: &EventTarget,
        event: &'static str,
        callback: impl FnMut(Event) + 'static,
    ) -> Option<Self> {
        let callback = Closure::<dyn FnMut(Event)>::new(callback);
        let function = callback.as_ref().unchecked_ref();
        target.add_event_listener_with_callback(event, function).ok()?;
        Some(Self { target: target.clone(), event, callback })
    }

    /// Calls `callback` at each `event` of the window.
    pub fn on_window(event: &'static str, callback: impl FnMut(Event) + 'static) -> Option<Self> {
        let window = web_sys::window()?;
        Self::on(&window, event, callback)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.callback.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.event, function);
    }
}
