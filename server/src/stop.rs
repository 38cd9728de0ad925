//! How the server stops without dropping a request.
//!
//! ```text
//! told to stop ─▶ draining: still answers, but says `Connection: close`, and is not ready
//!              ─▶ takes no more connections, finishes the requests under way
//!              ─▶ ends
//! ```
//!
//! A proxy before it that heeds `/readyz` or `Connection: close` loses nothing.

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Whether the server is to stop. Cheap to clone; clones tell each other.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Begins to stop.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether it is stopping.
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Resolves once it is stopping: what goes on without end, ends then.
    pub fn begun(&self) -> WaitForCancellationFutureOwned {
        self.0.clone().cancelled_owned()
    }
}
