//! A chosen picture: read, cut and made small.

use js_sys::{Array, Uint8Array};
use miniature::browser::picture_file::{self, FileError};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use crate::{samples::PIXEL, script};

fn blob(parts: &[&[u8]]) -> Blob {
    let parts: Array = parts.iter().map(|part| Uint8Array::from(*part)).collect();
    Blob::new_with_u8_array_sequence(&parts).unwrap()
}

/// A PNG of this size: noise, so that it does not become small by itself; half of it clear, if so asked.
async fn noise(width: u32, height: u32, is_clear: bool) -> Blob {
    let draw = "
        const [width, height, isClear] = [Number(args[0]), Number(args[1]), args[2] === 'true'];
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        const context = canvas.getContext('2d');
        const image = context.createImageData(width, height);
        let state = 1;
        for (let at = 0; at < image.data.length; at++) {
            state = Math.imul(state, 1664525) + 1013904223 >>> 0;
            image.data[at] = at % 4 === 3 ? (isClear && at < image.data.length / 2 ? 0 : 255) : state >>> 24;
        }
        context.putImageData(image, 0, 0);
        return new Promise((done) => canvas.toBlob(done, 'image/png'))";
    let args = [width.to_string(), height.to_string(), is_clear.to_string()];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    script::run(draw, &args).await.unchecked_into()
}

#[wasm_bindgen_test]
async fn what_is_no_picture_is_told_apart() {
    let mebibyte = vec![0_u8; 1 << 20];
    let large: Vec<&[u8]> = vec![&mebibyte; 61];
    let heic = [b"\0\0\0\x18ftypheic".as_slice(), &[0; 64]].concat();
    let files: [(&[&[u8]], FileError); 5] = [
        (&[], FileError::Empty),
        (&[b"This is no picture."], FileError::Unreadable),
        (&[&PIXEL[..20]], FileError::Unreadable),
        (&[&heic], FileError::Heic),
        (&large, FileError::TooLarge),
    ];
    for (parts, expected) in files {
        let error = picture_file::open(&blob(parts)).await.unwrap_err();
        assert_eq!(error, expected);
    }
}

#[wasm_bindgen_test]
async fn a_square_is_cut_and_never_enlarged() {
    for (width, height, square, edge) in
        [(40, 30, (5.0, 0.0, 30.0), 30), (3000, 2000, (500.0, 0.0, 2000.0), 512)]
    {
        let picture = picture_file::open(&noise(width, height, false).await).await.unwrap();
        assert_eq!((picture.width(), picture.height()), (width, height));

        let cut = picture_file::cut(&picture, square).await.unwrap();

        let sent = picture_file::open(&cut.upload).await.unwrap();
        assert_eq!(sent.width(), sent.height());
        assert!(sent.width() >= edge && sent.width() <= 1024, "{}", sent.width());
        assert!(["image/webp", "image/jpeg"].contains(&cut.upload.type_().as_str()));
        assert!(cut.preview.starts_with(&format!("data:{};base64,", cut.upload.type_())));
    }
}

#[wasm_bindgen_test]
async fn what_is_clear_stays_clear() {
    let picture = picture_file::open(&noise(64, 64, true).await).await.unwrap();
    let cut = picture_file::cut(&picture, (0.0, 0.0, 64.0)).await.unwrap();
    assert_ne!(cut.upload.type_(), "image/jpeg");
    let first = "
        const bitmap = await createImageBitmap(await (await fetch(args[0])).blob());
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
        const context = canvas.getContext('2d');
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, 1, 1).data[3]";
    assert_eq!(script::run(first, &[&cut.preview]).await.as_f64(), Some(0.0));
}
