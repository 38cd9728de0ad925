//! What tabs of this origin say to each other.

use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

use super::listener::Listener;

/// A channel to the other tabs, closed when dropped.
#[derive(Debug)]
pub struct Channel {
    channel: BroadcastChannel,
    _listener: Option<Listener>,
}

impl Channel {
    /// Calls `callback` with each text that another tab posts under this name; none if the browser
    /// has no channels.
    pub fn open(name: &str, callback: impl Fn(String) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let listener = Listener::on(&channel, "message", move |event| {
            let data =
                event.dyn_into::<MessageEvent>().ok().and_then(|event| event.data().as_string());
            data.into_iter().for_each(&callback);
        });
        Some(Self { channel, _listener: listener })
    }

    /// Posts a text to the other tabs.
    pub fn post(&self, text: &str) {
        // Refused only by a channel that is closed.
        let _ = self.channel.post_message(&text.into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}
