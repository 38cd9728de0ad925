//! Numbers as JavaScript writes and reads them.

use miniature::browser::number::{parse, text};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_number_is_written_and_read_back() {
    for (number, written) in [
        (0.0, "0"),
        (1.5, "1.5"),
        (-0.125, "-0.125"),
        (1e21, "1e+21"),
        (100.0 / 3.0, "33.333333333333336"),
    ] {
        assert_eq!(text(number), written);
        assert_eq!(parse(written), Some(number));
    }
}

#[wasm_bindgen_test]
fn what_begins_with_no_number_is_none() {
    assert_eq!(parse("24.5px"), Some(24.5));
    for text in ["", "px", "normal", "NaN"] {
        assert_eq!(parse(text), None, "{text}");
    }
}
