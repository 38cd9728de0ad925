//! Pictures: what is taken, what is kept, the sizes in which it is handed out, and where from.
//!
//! ```text
//! upload ─▶ intake ─▶ decode, crop, turn upright ─▶ master ─▶ renditions of 64, 128, 256 and 512 px
//!                                                     │                  │
//!                                  kept while shown: files or S3  memory, then files; and S3, if
//!                                                                 browsers fetch from there by
//!                                                                 signed URLs
//! ```
//!
//! **Invariant:** what was uploaded is never handed out, nor kept; only our own encoding of its
//! pixels is. So no metadata and no foreign bytes travel.

mod drawing;
mod hints;
mod intake;
mod metadata;
mod missing;
mod pictures;
mod renditions;
mod shelf;
mod signer;
mod store;
mod unused;

use miniature_api::ImageId;
pub use miniature_pixels::UploadError;

pub use self::{
    hints::Hints,
    intake::{Intake, IntakeError, Place},
    metadata::Metadata,
    pictures::{PictureError, Pictures},
    renditions::{Layer, Rendition, RenditionError, Renditions},
    signer::Signer,
    store::{ImageStore, ImageStoreError},
    unused::Unused,
};

/// The media type of every rendition.
pub const CONTENT_TYPE: &str = "image/webp";

/// Names an image by what was uploaded.
pub fn image_id(upload: &[u8]) -> ImageId {
    let hash = blake3::hash(upload);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    ImageId::from_bytes(id)
}
