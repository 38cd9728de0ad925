//! Numbers that nobody can guess.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::clock;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn fill(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// A seed for a generator. Where the browser has no `crypto`, the clocks have to do.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    match fill(&mut bytes) {
        Ok(_) => u64::from_ne_bytes(bytes),
        Err(_) => seed_of_clocks(),
    }
}

fn seed_of_clocks() -> u64 {
    let now = clock::now();
    let micros = u64::try_from(now.running.as_micros()).unwrap_or_default();
    now.wall.0.rotate_left(32) ^ micros
}
