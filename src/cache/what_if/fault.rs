//! How a storage fares.

use crate::cache::layer::LayerError;

/// How a storage behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cache) enum Fault {
    #[default]
    None,
    Denied,
    Failing,
    /// Answers nothing until the fault ends; what it was asked is carried out then.
    Hanging,
    /// Reads, removes and overwrites with as much, but takes nothing new.
    Full,
    /// Reads, and takes no change at all.
    #[cfg(test)]
    Unwritable,
}

impl Fault {
    pub(in crate::cache) fn check(self) -> Result<(), LayerError> {
        match self {
            Self::Denied => Err(LayerError::Unavailable),
            Self::Failing => Err(LayerError::Failed),
            _ => Ok(()),
        }
    }

    pub(in crate::cache) fn check_write(self) -> Result<(), LayerError> {
        self.check()?;
        #[cfg(test)]
        if self == Self::Unwritable {
            return Err(LayerError::Full);
        }
        Ok(())
    }
}

/// What a storage suffers from that answers so.
impl From<LayerError> for Fault {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::Unavailable => Self::Denied,
            LayerError::Full => Self::Full,
            LayerError::TimedOut => Self::Hanging,
            LayerError::Disconnected | LayerError::Failed => Self::Failing,
        }
    }
}
