//! Whatever is uploaded, it is a picture within its bounds or refused: no panic, no more memory than
//! foreseen.

#![no_main]

use libfuzzer_sys::fuzz_target;
use miniature_pixels::{Square, memory_for};

/// Beyond this, in bytes of memory, pictures are only slower, not different.
const TOO_SLOW: u64 = 24 << 20;

fuzz_target!(|upload: &[u8]| {
    let Ok(memory) = memory_for(upload) else {
        assert!(Square::from_upload(upload).is_err());
        return;
    };
    if memory > TOO_SLOW {
        return;
    }
    if let Ok(square) = Square::from_upload(upload) {
        let edge = square.edge() as usize;
        assert!((1..=1_024).contains(&edge));
        assert_eq!(square.rgba().len(), edge * edge * 4);
    }
});
