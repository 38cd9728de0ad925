//! What lies beneath rexie's errors, which say only "idb error".

use crate::{browser::exception::layer_error, cache::layer::LayerError};

/// Why an operation on an open database failed.
pub(super) fn of_use(error: &rexie::Error) -> LayerError {
    match error {
        // Nothing of ours aborts a transaction. A browser does when it cannot write at the end,
        // and it cannot when the disk is full.
        rexie::Error::TransactionAbortFailed | rexie::Error::TransactioncommitFailed => {
            LayerError::Full
        }
        rexie::Error::IdbError(error) => thrown(error),
        _ => LayerError::Failed,
    }
}

/// Why a database could not be opened. There is no connection yet that could have been lost: an
/// invalid state is a browser that denies databases in private windows.
pub(super) fn of_open(error: &rexie::Error) -> LayerError {
    match error {
        rexie::Error::IdbError(idb::Error::IndexedDbNotFound(_)) => LayerError::Unavailable,
        rexie::Error::IdbError(error) => match thrown(error) {
            LayerError::Disconnected => LayerError::Unavailable,
            other => other,
        },
        _ => LayerError::Failed,
    }
}

fn thrown(error: &idb::Error) -> LayerError {
    use idb::Error::{
        ClearFailed, CountFailed, DeleteFailed, DomException, GetAllFailed, GetAllKeysFailed,
        GetFailed, IndexNotFound, IndexedDbOpenFailed, ObjectStoreNotFound, TransactionOpenFailed,
        UpdateFailed,
    };
    match error {
        DomException(exception) => layer_error(exception.as_ref()),
        ClearFailed(thrown)
        | CountFailed(thrown)
        | DeleteFailed(thrown)
        | GetAllFailed(thrown)
        | GetAllKeysFailed(thrown)
        | GetFailed(thrown)
        | IndexNotFound(thrown)
        | IndexedDbOpenFailed(thrown)
        | ObjectStoreNotFound(thrown)
        | TransactionOpenFailed(thrown) => layer_error(thrown),
        // After a transaction that found the disk full, Firefox lets the next one only delete, and
        // calls everything else an invalid state. A connection that is lost has no transactions.
        UpdateFailed(thrown) => match layer_error(thrown) {
            LayerError::Disconnected => LayerError::Full,
            other => other,
        },
        _ => LayerError::Failed,
    }
}
