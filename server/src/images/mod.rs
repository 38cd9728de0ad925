//! Pictures: what is taken, what is kept, and the sizes in which it is handed out.
//!
//! ```text
//! upload ─▶ decode, turn upright, crop ─▶ master ─▶ renditions of 64, 128, 256 and 512 px
//!                                           │                  │
//!                                      kept for good     memory, then files
//! ```
//!
//! **Invariant:** what was uploaded is never handed out, nor kept; only our own encoding of its
//! pixels is. So no metadata and no foreign bytes travel.

mod pictures;
mod renditions;

use miniature_api::ImageId;
pub use miniature_pixels::UploadError;

pub use self::{
    pictures::{PictureError, Pictures},
    renditions::{Layer, Rendition, RenditionError, Renditions},
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
