//! Whether the server is there.

use leptos::prelude::*;

use super::driver::driver;
pub use crate::cache::core::ConnectionView as Connection;
use crate::cache::core::Core;

/// Whether what is wanted can be had from the server.
pub fn use_connection() -> Signal<Connection> {
    Signal::derive(|| {
        let driver = driver();
        driver.signals.connection.track();
        driver.read(Core::connection)
    })
}
