//! A canvas of 100 by 100, painted with shapes that are written as SVG paths.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, PathBuilder,
    Pixmap, Point, Shader, SpreadMode, Stroke, Transform,
};

use super::DrawError;

/// The edge of a portrait, in pixels: that of the largest rendition.
const EDGE: u32 = 512;

/// Pixels a unit of the canvas. A little is cut off around, so that the face fills a small picture.
const SCALE: f32 = 5.12 * ZOOM;

/// How much larger than to fit.
const ZOOM: f32 = 1.14;

/// The point of the canvas that stays where it is when zoomed.
const FOCUS: (f32, f32) = (50.0, 56.0);

/// A colour, as `0xRRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u32);

impl Rgb {
    fn channels(self) -> [u8; 3] {
        let [_, red, green, blue] = self.0.to_be_bytes();
        [red, green, blue]
    }

    fn opaque(self) -> Color {
        let [red, green, blue] = self.channels();
        Color::from_rgba8(red, green, blue, 255)
    }

    /// This colour with a share of another, 0 to 1.
    pub(super) fn mixed(self, other: Self, share: f32) -> Self {
        let (ours, theirs) = (self.channels(), other.channels());
        let channel = |n: usize| mix(ours[n], theirs[n], share);
        Self(u32::from_be_bytes([0, channel(0), channel(1), channel(2)]))
    }

    /// A shadow on this colour.
    pub(super) fn darker(self, share: f32) -> Self {
        self.mixed(Self(0x1d152b), share)
    }

    /// Light on this colour.
    pub(super) fn lighter(self, share: f32) -> Self {
        self.mixed(Self(0xfffbf2), share)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between two bytes lies a byte"
)]
fn mix(ours: u8, theirs: u8, share: f32) -> u8 {
    (f32::from(ours) + (f32::from(theirs) - f32::from(ours)) * share).round() as u8
}

/// What is painted on.
#[derive(Debug)]
pub(super) struct Canvas {
    pixels: Pixmap,
}

impl Canvas {
    pub(super) fn new() -> Result<Self, DrawError> {
        let pixels = Pixmap::new(EDGE, EDGE);
        Ok(Self { pixels: pixels.ok_or_else(|| DrawError("no canvas".to_owned()))? })
    }

    /// Paints the whole canvas, lighter at the top.
    pub(super) fn wash(&mut self, colour: Rgb) {
        let stops = vec![
            GradientStop::new(0.0, colour.lighter(0.35).opaque()),
            GradientStop::new(1.0, colour.opaque()),
        ];
        let (top, bottom) = (Point::from_xy(30.0, 0.0), Point::from_xy(70.0, 100.0));
        let gradient =
            LinearGradient::new(top, bottom, stops, SpreadMode::Pad, Transform::identity());
        let shader = gradient.unwrap_or(Shader::SolidColor(colour.opaque()));
        self.paint(path("M 0 0 L 100 0 L 100 100 L 0 100 Z"), shader);
    }

    /// Fills a shape.
    pub(super) fn fill(&mut self, shape: &str, colour: Rgb) {
        self.paint(path(shape), Shader::SolidColor(colour.opaque()));
    }

    /// Fills a shape with a glaze: 0 invisible, 1 opaque.
    pub(super) fn glaze(&mut self, shape: &str, colour: Rgb, strength: f32) {
        let mut glaze = colour.opaque();
        glaze.set_alpha(strength);
        self.paint(path(shape), Shader::SolidColor(glaze));
    }

    /// Fills an ellipse.
    pub(super) fn ellipse(&mut self, (x, y): (f32, f32), (rx, ry): (f32, f32), colour: Rgb) {
        self.paint(ellipse(x, y, rx, ry), Shader::SolidColor(colour.opaque()));
    }

    /// Fills an ellipse with a glaze.
    pub(super) fn glow(&mut self, at: (f32, f32), radii: (f32, f32), colour: Rgb, strength: f32) {
        let mut glaze = colour.opaque();
        glaze.set_alpha(strength);
        self.paint(ellipse(at.0, at.1, radii.0, radii.1), Shader::SolidColor(glaze));
    }

    /// Draws a line along a shape.
    pub(super) fn line(&mut self, shape: &str, width: f32, colour: Rgb) {
        self.stroke(path(shape), width, colour);
    }

    /// Draws a line around an ellipse.
    pub(super) fn ring(&mut self, at: (f32, f32), radii: (f32, f32), width: f32, colour: Rgb) {
        self.stroke(ellipse(at.0, at.1, radii.0, radii.1), width, colour);
    }

    pub(super) fn png(&self) -> Result<Vec<u8>, DrawError> {
        self.pixels.encode_png().map_err(|error| DrawError(error.to_string()))
    }

    fn paint(&mut self, path: Option<Path>, shader: Shader<'_>) {
        let Some(path) = path else { return };
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let scale = view();
        self.pixels.fill_path(&path, &paint, FillRule::Winding, scale, None);
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, colour: Rgb) {
        let Some(path) = path else { return };
        let shader = Shader::SolidColor(colour.opaque());
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
        let stroke = Stroke { width, line_cap, line_join, ..Stroke::default() };
        let scale = view();
        self.pixels.stroke_path(&path, &paint, &stroke, scale, None);
    }
}

/// From units of the canvas to pixels.
fn view() -> Transform {
    let left = FOCUS.0 * (SCALE - SCALE / ZOOM);
    let top = FOCUS.1 * (SCALE - SCALE / ZOOM);
    Transform::from_row(SCALE, 0.0, 0.0, SCALE, -left, -top)
}

/// A circle by four cubic curves.
fn ellipse(x: f32, y: f32, rx: f32, ry: f32) -> Option<Path> {
    const BOW: f32 = 0.552_284_8;
    let (bx, by) = (rx * BOW, ry * BOW);
    let mut path = PathBuilder::new();
    path.move_to(x + rx, y);
    path.cubic_to(x + rx, y + by, x + bx, y + ry, x, y + ry);
    path.cubic_to(x - bx, y + ry, x - rx, y + by, x - rx, y);
    path.cubic_to(x - rx, y - by, x - bx, y - ry, x, y - ry);
    path.cubic_to(x + bx, y - ry, x + rx, y - by, x + rx, y);
    path.close();
    path.finish()
}

/// Reads `M`, `L`, `Q`, `C` and `Z` with absolute coordinates, all apart by spaces.
///
/// # Source
///
/// SVG 2, section 9.3, Path data.
fn path(shape: &str) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut words = shape.split_whitespace();
    while let Some(command) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
        match command {
            "M" => path.move_to(number(), number()),
            "L" => path.line_to(number(), number()),
            "Q" => path.quad_to(number(), number(), number(), number()),
            "C" => path.cubic_to(number(), number(), number(), number(), number(), number()),
            _ => path.close(),
        }
    }
    path.finish()
}
