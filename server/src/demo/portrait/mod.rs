//! Portraits, drawn from a name: the same name, the same face, on every machine.
//!
//! ```text
//! id ─▶ traits (what they look like) ─▶ layers of shapes, back to front ─▶ PNG
//! ```
//!
//! Shapes are written as SVG paths on a canvas of 100 by 100.

mod canvas;
mod clothes;
mod face;
mod hair;
mod palette;
mod traits;

use thiserror::Error;

use self::{canvas::Canvas, traits::Traits};

/// How someone wears their hair, by and large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HairLength {
    /// Above the collar.
    Short,
    /// Below the chin, or tied up.
    Long,
}

/// The canvas could not be made or encoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct DrawError(String);

/// Draws the portrait of whoever has this id, as PNG. Keeps a core busy for some 20 ms.
pub(super) fn draw(id: &str, hair: HairLength, complexion: usize) -> Result<Vec<u8>, DrawError> {
    let traits = Traits::of(id, hair, complexion);
    let mut canvas = Canvas::new()?;
    canvas.wash(traits.backdrop);
    hair::behind(&mut canvas, &traits);
    clothes::neck(&mut canvas, &traits);
    clothes::clothes(&mut canvas, &traits);
    face::head(&mut canvas, &traits);
    face::beard(&mut canvas, &traits);
    face::features(&mut canvas, &traits);
    hair::before(&mut canvas, &traits);
    face::glasses(&mut canvas, &traits);
    hair::hat(&mut canvas, &traits);
    canvas.png()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::people::everyone;

    #[test]
    fn the_same_name_has_the_same_face_and_no_two_look_alike() {
        assert_eq!(draw("ada", HairLength::Long, 0), draw("ada", HairLength::Long, 0));
        let faces = everyone().take(40).map(|p| draw(p.id, p.hair, p.complexion).unwrap());
        assert_eq!(faces.collect::<BTreeSet<_>>().len(), 40);
    }
}
