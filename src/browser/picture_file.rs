//! Pictures that someone chooses, cut to a square and made small by the browser.

use js_sys::{Promise, Uint8Array};
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap};

/// Edges in pixels, and qualities, at which a picture is tried to be sent, the best first. The largest
/// that is shown is 512 pixels.
const ATTEMPTS: [(f64, f64); 4] = [(1024.0, 0.84), (1024.0, 0.7), (768.0, 0.7), (512.0, 0.7)];

/// The edge of what is shown until the server's own is here, in pixels.
const PREVIEW: f64 = 512.0;

/// The most bytes that are sent, if quality can be given up for it: 0.7 s at 1 Mbit/s.
const ENOUGH: f64 = 90_000.0;

/// Bytes that say what a file is.
const HEAD: i32 = 12;

/// The most bytes that are read: more than a camera makes.
const MOST: f64 = 60.0 * 1024.0 * 1024.0;

/// Why a file is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// More than 60 MiB.
    #[error("the file is too large")]
    TooLarge,
    /// Telephones make such pictures, and this browser does not read them.
    #[error("the browser does not read HEIC")]
    Heic,
    /// The browser finds no picture in it.
    #[error("the browser cannot read it")]
    Unreadable,
}

/// What is sent, and what is shown meanwhile.
#[derive(Clone, Debug)]
pub struct Cut {
    /// WebP where the browser writes that; else JPEG, or PNG if something is transparent.
    pub upload: Blob,
    /// The same, smaller, as a `data:` URL.
    pub preview: String,
}

/// Decodes a file, of an animation the first picture, turned as its camera was held.
///
/// # Errors
///
/// [`FileError`], by what can be done about it. Its size is looked at before it is read.
pub async fn open(file: &Blob) -> Result<ImageBitmap, FileError> {
    if file.size() == 0.0 {
        return Err(FileError::Empty);
    }
    if file.size() > MOST {
        return Err(FileError::TooLarge);
    }
    match decode(file).await {
        Some(bitmap) if bitmap.width().min(bitmap.height()) > 0 => Ok(bitmap),
        _ if is_heic(&head(file).await.unwrap_or_default()) => Err(FileError::Heic),
        _ => Err(FileError::Unreadable),
    }
}

async fn decode(file: &Blob) -> Option<ImageBitmap> {
    let bitmap = web_sys::window()?.create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(bitmap).await.ok()?.dyn_into().ok()
}

/// The first bytes of a file. What it is called says nothing of what it is.
async fn head(file: &Blob) -> Option<Vec<u8>> {
    let head = file.slice_with_i32_and_i32(0, HEAD).ok()?;
    Some(Uint8Array::new(&JsFuture::from(head.array_buffer()).await.ok()?).to_vec())
}

/// Whether a file begins as HEIC does: a box `ftyp` with one of its brands.
///
/// # Source
///
/// ISO/IEC 14496-12 (the box), ISO/IEC 23008-12 (the brands).
fn is_heic(head: &[u8]) -> bool {
    let brands = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];
    head.get(4..8) == Some(b"ftyp")
        && head.get(8..12).is_some_and(|brand| brands.iter().any(|known| brand == *known))
}

/// Cuts a square out of a picture: left, top and edge, in its pixels.
///
/// # Errors
///
/// [`FileError::Unreadable`] if the browser has no room for it.
pub async fn cut(bitmap: &ImageBitmap, square: (f64, f64, f64)) -> Result<Cut, FileError> {
    let upload = encode(bitmap, square).await.ok_or(FileError::Unreadable)?;
    let preview = draw(bitmap, square, PREVIEW).ok_or(FileError::Unreadable)?;
    let preview = preview.to_data_url_with_type(&upload.type_());
    Ok(Cut { upload, preview: preview.map_err(|_| FileError::Unreadable)? })
}

/// Never larger than it is.
fn draw(
    bitmap: &ImageBitmap,
    (left, top, edge): (f64, f64, f64),
    at_most: f64,
) -> Option<HtmlCanvasElement> {
    let document = web_sys::window()?.document()?;
    let canvas: HtmlCanvasElement = document.create_element("canvas").ok()?.dyn_into().ok()?;
    let size = edge.min(at_most).round();
    let pixels = super::number::whole(size);
    let pixels = u32::try_from(pixels).ok()?;
    canvas.set_width(pixels);
    canvas.set_height(pixels);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let _ = js_sys::Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into());
    context
        .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            bitmap, left, top, edge, edge, 0.0, 0.0, size, size,
        )
        .ok()?;
    Some(canvas)
}

async fn encode(bitmap: &ImageBitmap, square: (f64, f64, f64)) -> Option<Blob> {
    let webp = smallest(bitmap, square, "image/webp").await?;
    if webp.type_() == "image/webp" {
        return Some(webp);
    }
    // A browser that does not write a type writes PNG.
    match is_transparent(&draw(bitmap, square, PREVIEW)?) {
        true => Some(webp),
        false => smallest(bitmap, square, "image/jpeg").await,
    }
}

/// The best attempt that is small enough, else the smallest.
async fn smallest(bitmap: &ImageBitmap, square: (f64, f64, f64), media_type: &str) -> Option<Blob> {
    let mut made = None;
    for (edge, quality) in ATTEMPTS {
        let blob = to_blob(&draw(bitmap, square, edge)?, media_type, quality).await?;
        let enough = blob.size() <= ENOUGH || blob.type_() != media_type;
        made = Some(blob);
        if enough {
            break;
        }
    }
    made
}

async fn to_blob(canvas: &HtmlCanvasElement, media_type: &str, quality: f64) -> Option<Blob> {
    let promise = Promise::new(&mut |done, _| {
        let give = Closure::once_into_js(move |blob: JsValue| {
            let _ = done.call1(&JsValue::UNDEFINED, &blob);
        });
        let give = give.unchecked_ref();
        let quality = JsValue::from_f64(quality);
        let _ = canvas.to_blob_with_type_and_encoder_options(give, media_type, &quality);
    });
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

/// From this on a pixel counts as opaque: WebKit rounds 255 down to 254 where it scales.
const OPAQUE: u8 = 250;

/// Whether anything shows through it.
fn is_transparent(canvas: &HtmlCanvasElement) -> bool {
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    let context = canvas.get_context("2d").ok().flatten();
    let context = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok());
    let pixels = context.and_then(|context| context.get_image_data(0.0, 0.0, width, height).ok());
    pixels.is_some_and(|pixels| pixels.data().chunks_exact(4).any(|pixel| pixel[3] < OPAQUE))
}

/// How large a picture is drawn to be cut, in pixels.
const SHOWN: f64 = 1200.0;

/// Draws the whole picture into a canvas, no larger than it can be seen.
pub fn show(bitmap: &ImageBitmap, canvas: &HtmlCanvasElement) {
    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
    let scale = (SHOWN / width.max(height)).min(1.0);
    let (width, height) = ((width * scale).round().max(1.0), (height * scale).round().max(1.0));
    let pixels = |length| u32::try_from(super::number::whole(length)).unwrap_or(1);
    canvas.set_width(pixels(width));
    canvas.set_height(pixels(height));
    let context = canvas.get_context("2d").ok().flatten();
    let context = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok());
    if let Some(context) = context {
        // A picture that is gone is not drawn.
        let _ = context.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, width, height);
    }
}
