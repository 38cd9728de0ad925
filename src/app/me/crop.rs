//! The square that is cut out of a picture.
//!
//! **Invariant:** it lies within the picture, and is never smaller than a profile shows.

/// The least edge of the square, in pixels of the picture, if that has as many.
const LEAST: f64 = 192.0;

/// A square within a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crop {
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    edge: f64,
}

impl Crop {
    /// The largest square in the middle. Width and height are over 0.
    pub(super) fn of(width: f64, height: f64) -> Self {
        let edge = width.min(height);
        let (left, top) = ((width - edge) / 2.0, (height - edge) / 2.0);
        Self { width, height, left, top, edge }
    }

    /// Left, top and edge, in pixels of the picture.
    pub(super) fn square(self) -> (f64, f64, f64) {
        (self.left, self.top, self.edge)
    }

    /// How large the picture is beside the square, and how far its corner lies from that of the square,
    /// as shares of the square's edge: width, height, left, top.
    pub(super) fn placed(self) -> (f64, f64, f64, f64) {
        let share = |pixels: f64| pixels / self.edge;
        (share(self.width), share(self.height), share(-self.left), share(-self.top))
    }

    /// How much the picture is enlarged: 1 shows the largest square.
    pub(super) fn zoom(self) -> f64 {
        self.largest() / self.edge
    }

    /// How much it may be enlarged.
    pub(super) fn most(self) -> f64 {
        self.largest() / self.smallest()
    }

    /// The picture is dragged by so many edges of the square, to the right and down.
    pub(super) fn dragged(self, right: f64, down: f64) -> Self {
        let (left, top) = (self.left - right * self.edge, self.top - down * self.edge);
        Self { left, top, ..self }.within()
    }

    /// The picture is enlarged to `zoom`. What is at this place of the square, as shares of its edge,
    /// stays there.
    pub(super) fn zoomed(self, zoom: f64, (right, down): (f64, f64)) -> Self {
        let zoom = if zoom.is_finite() { zoom.clamp(1.0, self.most()) } else { 1.0 };
        let edge = self.largest() / zoom;
        let grown = self.edge - edge;
        Self { left: self.left + grown * right, top: self.top + grown * down, edge, ..self }
            .within()
    }

    fn largest(self) -> f64 {
        self.width.min(self.height)
    }

    fn smallest(self) -> f64 {
        self.largest().min(LEAST)
    }

    fn within(self) -> Self {
        let left = self.left.clamp(0.0, self.width - self.edge);
        let top = self.top.clamp(0.0, self.height - self.edge);
        Self { left, top, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Drag(f64, f64),
        Zoom(f64, f64, f64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (-3.0..3.0, -3.0..3.0).prop_map(|(right, down)| Step::Drag(right, down)),
            (prop_oneof![0.0..20.0, Just(f64::NAN), Just(f64::INFINITY)], 0.0..=1.0, 0.0..=1.0)
                .prop_map(|(zoom, right, down)| Step::Zoom(zoom, right, down)),
        ];
        prop::collection::vec(step, 0..20)
    }

    proptest! {
        #[test]
        fn the_square_lies_within_the_picture(
            width in 1.0..12_000.0, height in 1.0..12_000.0, steps in steps(),
        ) {
            let mut crop = Crop::of(width, height);
            for step in steps {
                crop = match step {
                    Step::Drag(right, down) => crop.dragged(right, down),
                    Step::Zoom(zoom, right, down) => crop.zoomed(zoom, (right, down)),
                };
                let (left, top, edge) = crop.square();
                prop_assert!(left >= 0.0 && top >= 0.0, "{crop:?}");
                prop_assert!(left + edge <= width + 1e-6 && top + edge <= height + 1e-6, "{crop:?}");
                prop_assert!(edge >= LEAST.min(width).min(height) - 1e-6, "{crop:?}");
                prop_assert!(crop.zoom() >= 1.0 - 1e-9 && crop.zoom() <= crop.most() + 1e-9);
            }
        }

        #[test]
        fn what_is_under_the_finger_stays_there(
            zoom in 1.0..4.0, right in 0.0..=1.0, down in 0.0..=1.0,
        ) {
            let at = |crop: Crop| {
                let (left, top, edge) = crop.square();
                (left + right * edge, top + down * edge)
            };
            let before = Crop::of(1_000.0, 1_000.0);
            let after = before.zoomed(zoom, (right, down));
            prop_assert!((at(before).0 - at(after).0).abs() < 1e-6);
            prop_assert!((at(before).1 - at(after).1).abs() < 1e-6);
        }
    }

    #[test]
    fn it_begins_as_the_largest_square_in_the_middle() {
        assert_eq!(Crop::of(400.0, 300.0).square(), (50.0, 0.0, 300.0));
        assert_eq!(Crop::of(300.0, 900.0).square(), (0.0, 300.0, 300.0));
        assert_eq!(Crop::of(400.0, 200.0).placed(), (2.0, 1.0, -0.5, -0.0));
    }

    #[test]
    fn the_picture_follows_the_finger() {
        let crop = Crop::of(400.0, 200.0).dragged(0.25, 0.5);
        assert_eq!(crop.square(), (50.0, 0.0, 200.0), "to the right, and no further down");
    }

    #[test]
    fn a_small_picture_cannot_be_enlarged() {
        assert!((Crop::of(100.0, 80.0).most() - 1.0).abs() < f64::EPSILON);
        assert!((Crop::of(1920.0, 1920.0).most() - 10.0).abs() < f64::EPSILON);
    }
}
