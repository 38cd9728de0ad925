//! Pictures as pixels: decoded, cropped, scaled, encoded. No I/O.
//!
//! ```text
//! upload ─▶ decode, crop and scale, turn upright, to sRGB ─▶ Square ─▶ master (kept)
//!                                                                       └▶ rendition (sent)
//! ```
//!
//! **Invariant:** nothing of an upload but its pixels gets through; no bytes make this panic.

mod colour;
mod container;
mod decode;
mod inks;
mod jpeg;
mod png_colours;
mod square;

pub use decode::{MAX_UPLOAD_BYTES, UploadError, memory_for};
pub use square::{PixelError, Square};
