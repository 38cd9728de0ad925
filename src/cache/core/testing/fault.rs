//! How a storage fares.

use crate::cache::layer::LayerError;

/// How a storage behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cache::core) enum Fault {
    #[default]
    None,
    Denied,
    Failing,
    /// Answers nothing until the fault ends; what it was asked is carried out then.
    Hanging,
    /// Reads, removes and overwrites with as much, but takes nothing new.
    Full,
}

impl Fault {
    pub(super) fn check(self) -> Result<(), LayerError> {
        match self {
            Self::None | Self::Hanging | Self::Full => Ok(()),
            Self::Denied => Err(LayerError::Unavailable),
            Self::Failing => Err(LayerError::Failed),
        }
    }
}
