//! Whether the browser thinks that there is a network.

use super::listener::Listener;

/// False if there is certainly no network. True says little: a cable with nothing behind it is
/// `online` too.
pub fn is_online() -> bool {
    web_sys::window().is_none_or(|window| window.navigator().on_line())
}

/// Calls `callback` with the new state at each change, until both guards are dropped.
pub fn on_change(callback: impl Fn(bool) + Clone + 'static) -> [Option<Listener>; 2] {
    let online = callback.clone();
    [
        Listener::on_window("online", move |_| online(true)),
        Listener::on_window("offline", move |_| callback(false)),
    ]
}
