//! What must not be shown.

use std::fmt;

use url::Url;

use super::ConfigError;

/// What must not be shown: not by `Debug`, not in a complaint about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl Secret {
    /// As a URL.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoUrl`] with the name of the setting, not with what it holds.
    pub fn url(&self, name: &'static str) -> Result<Url, ConfigError> {
        self.0.parse().map_err(|_| ConfigError::NoUrl(name))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
