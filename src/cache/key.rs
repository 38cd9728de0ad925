//! What is asked for, and what is kept under which name.

use std::fmt;

use miniature_api::{ImageId, Size, UserId};
use serde::{Deserialize, Serialize};

/// The layer that a picture came from, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The signal store of this document.
    Memory,
    /// LocalStorage: records and previews.
    LocalStorage,
    /// IndexedDB: records and renditions.
    IndexedDb,
    /// The service worker's cache.
    ServiceWorker,
    /// The API.
    Network,
}

impl Source {
    /// Every layer, nearest first.
    pub const ALL: [Self; 5] =
        [Self::Memory, Self::LocalStorage, Self::IndexedDb, Self::ServiceWorker, Self::Network];

    /// The layer's name in the DOM, in metrics and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::LocalStorage => "local_storage",
            Self::IndexedDb => "indexed_db",
            Self::ServiceWorker => "service_worker",
            Self::Network => "network",
        }
    }

    /// The layer's name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Memory => "Memory",
            Self::LocalStorage => "LocalStorage",
            Self::IndexedDb => "IndexedDB",
            Self::ServiceWorker => "Service worker",
            Self::Network => "Network",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one rendition. What it names never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RenditionKey {
    /// The content.
    pub image: ImageId,
    /// The edge.
    pub size: Size,
}

/// What a component asks for: someone's picture, at a size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose picture.
    pub user: UserId,
    /// How large.
    pub size: Size,
}

/// What a layer is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Whose picture, and how large.
    pub wanted: Wanted,
    /// The image, where it is known already; otherwise the layer's own record names it.
    pub image: Option<ImageId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_called_the_same_wherever_they_are_named() {
        let names = ["memory", "local_storage", "indexed_db", "service_worker", "network"];
        for (source, name) in Source::ALL.into_iter().zip(names) {
            assert_eq!((source.as_str(), source.to_string().as_str()), (name, name));
        }
    }
}
