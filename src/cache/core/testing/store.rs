//! The store that has the larger pictures, where the server gives hints.

use std::time::Duration;

use miniature_api::{Hint, ImageId, Size};

use super::{Blob, Server};
use crate::cache::{
    core::{Fetched, Reply},
    layer::OriginError,
    raster::RasterError,
};

/// How the store answers those who come with a hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cache::core) enum Store {
    #[default]
    Fine,
    Unreachable,
    /// Never answers.
    Silent,
    Refusing,
    /// Bytes that are no picture.
    ErrorPages,
}

impl Server {
    /// Where the store has an image at a size, if it is to be fetched there.
    pub(super) fn hint(&self, image: ImageId, size: Size) -> Option<Hint> {
        let lasts = self.hints_last.filter(|_| size > Size::PREVIEW)?;
        let until = self.running + Duration::from_secs(lasts);
        Some(Hint {
            url: format!("{image} {size} {}", until.as_millis()),
            expires_in_s: Some(lasts),
            content_type: "image/webp".to_owned(),
            bytes: 1,
        })
    }

    /// What the store says; none: nothing, ever.
    pub(super) fn stored(&mut self, url: &str) -> Option<Fetched<Blob>> {
        let mut parts = url.split(' ');
        let mut part = || parts.next().unwrap();
        let (image, size) = (part().parse().unwrap(), part().parse().unwrap());
        let ended = Duration::from_millis(part().parse().unwrap()) < self.running;
        let outcome = match self.store {
            Store::Silent => return None,
            Store::Unreachable => Err(OriginError::Unreachable.into()),
            Store::ErrorPages => Ok(Reply::Rendition((image, Err(RasterError::NotWebp)))),
            Store::Refusing => Err(OriginError::Status(403).into()),
            Store::Fine if ended => Err(OriginError::Status(403).into()),
            Store::Fine => {
                self.renditions_sent += 1;
                Ok(Reply::Rendition((image, Ok(Blob { image, size, decodes: true }))))
            }
        };
        Some(Fetched { lineage: None, account: None, asked: None, event: None, outcome })
    }
}
