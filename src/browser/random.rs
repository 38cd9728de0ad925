//! Numbers that nobody can guess.

use js_sys::Uint8Array;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::clock;
use crate::cache::clock::micros;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn fill(bytes: &Uint8Array) -> Result<JsValue, JsValue>;
}

/// A seed for a generator. Where the browser has no `crypto`, the clocks have to do.
pub fn seed() -> u64 {
    // An array of JavaScript's own: what it writes into a slice, optimised code does not see.
    let (filled, mut bytes) = (Uint8Array::new_with_length(8), [0; 8]);
    match fill(&filled) {
        Ok(_) => {
            filled.copy_to(&mut bytes);
            u64::from_ne_bytes(bytes)
        }
        Err(_) => seed_of_clocks(),
    }
}

fn seed_of_clocks() -> u64 {
    let now = clock::now();
    now.wall.0.rotate_left(32) ^ micros(now.running).unsigned_abs()
}
