//! Pictures as pixels: decoded, cropped, scaled, encoded. No I/O.
//!
//! ```text
//! upload ─▶ decode, turn upright, crop ─▶ Square ─▶ master (kept) ─▶ Square ─▶ rendition (sent)
//! ```
//!
//! **Invariant:** nothing of an upload but its pixels gets through; no bytes make this panic.

mod decode;
mod square;

pub use decode::UploadError;
pub use square::{PixelError, Square};
