//! Why a layer, or the API, may fail.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a layer could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum LayerError {
    /// The browser denies this storage: blocked cookies, a private window, no such API.
    #[error("the browser denies this storage")]
    Unavailable,
    /// The origin's quota is spent; nothing was written.
    #[error("the storage quota is spent")]
    Full,
    /// Another tab upgraded or deleted the database under us.
    #[error("another tab closed the connection")]
    Disconnected,
    /// No answer in the time allowed.
    #[error("the storage did not answer in time")]
    TimedOut,
    /// Anything else that the storage reports.
    #[error("the storage failed")]
    Failed,
}

impl LayerError {
    /// The one response that can help. Callers branch on this, never on the message.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::Unavailable => Recovery::BypassUntilReload,
            Self::Full => Recovery::EvictThenRetryOnce,
            Self::Disconnected => Recovery::RetryOnce,
            Self::TimedOut | Self::Failed => Recovery::RetryLater,
        }
    }
}

/// What to do about a [`LayerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing helps in this document.
    BypassUntilReload,
    /// Make room, try once more, then only read.
    EvictThenRetryOnce,
    /// Try once more: the layer connects anew by itself.
    RetryOnce,
    /// Count it; after several in a row, leave the layer alone for a while.
    RetryLater,
}

/// Why the API did not answer as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum OriginError {
    /// Not reached: no network, no server, or no answer in the time allowed.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The session has ended.
    #[error("signed out")]
    SignedOut,
    /// The server answered with this status.
    #[error("the server answered {0}")]
    Status(u16),
    /// The server's data is of an earlier lineage than this browser has seen.
    #[error("the server's data is older than what this browser has seen")]
    Outdated,
    /// The answer is not what the API promises.
    #[error("the server's answer cannot be read")]
    Malformed,
}
