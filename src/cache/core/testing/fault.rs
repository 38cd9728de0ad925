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
    /// Reads, and takes no change at all.
    Unwritable,
}

impl Fault {
    pub(super) fn check(self) -> Result<(), LayerError> {
        match self {
            Self::None | Self::Hanging | Self::Full | Self::Unwritable => Ok(()),
            Self::Denied => Err(LayerError::Unavailable),
            Self::Failing => Err(LayerError::Failed),
        }
    }

    pub(super) fn check_write(self) -> Result<(), LayerError> {
        self.check()?;
        if self == Self::Unwritable { Err(LayerError::Full) } else { Ok(()) }
    }
}
