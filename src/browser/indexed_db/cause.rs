//! Why IndexedDB did not do what was asked.

use wasm_bindgen::JsValue;
use web_sys::DomException;

use crate::{
    browser::exception::{layer_error, name_of},
    cache::layer::LayerError,
};

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The browser's side of the connection has died. A new connection may work.
    Lost,
    /// What the caller can do something about.
    Layer(LayerError),
}

/// What a transaction is called that was aborted from under its requests.
const ABORTED: &str = "AbortError";

/// WebKit: "Connection to Indexed Database server lost".
const LOST: &str = "UnknownError";

impl Cause {
    /// Once a second attempt has failed as well.
    pub(super) fn into_error(self) -> LayerError {
        match self {
            Self::Lost => LayerError::Failed,
            Self::Layer(error) => error,
        }
    }

    /// Whether the connection is of no further use. (In Firefox the next transaction of one that
    /// has found the disk full can only delete; everything else is an invalid state.)
    pub(super) fn spoils_connection(self) -> bool {
        matches!(self, Self::Lost | Self::Layer(LayerError::Disconnected))
    }
}

/// What a request, or a call, has thrown.
pub(super) fn of_request(thrown: &JsValue) -> Cause {
    if name_of(thrown) == LOST { Cause::Lost } else { Cause::Layer(layer_error(thrown)) }
}

/// Why a writing transaction was not committed: only the error that it names is one. That one of
/// its requests was aborted with it says nothing.
pub(super) fn of_abort(thrown: Option<JsValue>, error: Option<DomException>) -> Cause {
    match thrown.filter(|thrown| name_of(thrown) != ABORTED) {
        Some(thrown) => of_request(&thrown),
        None => match error.map(|error| of_request(&error)) {
            Some(cause @ (Cause::Lost | Cause::Layer(LayerError::Full))) => cause,
            Some(Cause::Layer(_)) | None => Cause::Layer(LayerError::Failed),
        },
    }
}

/// Why a database could not be opened. There is no connection yet that could have been lost: an
/// invalid state is a browser that denies databases in private windows.
pub(super) fn of_open(thrown: &JsValue) -> Cause {
    match of_request(thrown) {
        Cause::Layer(LayerError::Disconnected) if name_of(thrown) != ABORTED => {
            Cause::Layer(LayerError::Unavailable)
        }
        cause => cause,
    }
}
