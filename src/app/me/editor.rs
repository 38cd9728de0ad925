//! Chooses the square that is cut out of a picture: by finger, mouse, wheel and keyboard.

use super::crop::Crop;
use crate::browser::{number, picture_file};
use leptos::{ev, html, prelude::*};
use web_sys::ImageBitmap;

/// How far an arrow key moves the picture, as a share of the square; with Shift, five times as far.
const STEP: f64 = 0.04;

/// How much a key enlarges the picture.
const ENLARGE: f64 = 1.1;

/// How much a pixel of the wheel enlarges it, as a power of e.
const WHEEL: f64 = -0.0015;

/// How many pixels a line of the wheel is.
const LINE: f64 = 16.0;

/// A finger, or the mouse: its id, and where it is, as shares of the square.
type Finger = (i32, (f64, f64));

#[component]
pub(super) fn Editor(
    picture: StoredValue<ImageBitmap, LocalStorage>,
    /// Takes left, top and edge, in pixels of the picture.
    save: Callback<(f64, f64, f64)>,
    cancel: Callback<()>,
) -> impl IntoView {
    let (width, height) = picture
        .try_with_value(|picture| (picture.width().max(1).into(), picture.height().max(1).into()))
        .unwrap_or((1.0, 1.0));
    let crop = RwSignal::new(Crop::of(width, height));
    let (frame, canvas) = (NodeRef::<html::Div>::new(), NodeRef::<html::Canvas>::new());
    canvas.on_load(move |canvas| {
        picture.with_value(|picture| picture_file::show(picture, &canvas));
    });
    frame.on_load(|frame| drop(frame.focus()));
    let placed = Memo::new(move |_| crop.read().placed());
    let share = move |of: fn((f64, f64, f64, f64)) -> f64| {
        move || number::text(of(placed.get()) * 100.0) + "%"
    };
    let moves = Moves::new(crop, frame);
    view! {
        <div class="editor" role="group" aria-label="Choose what of the picture is shown">
            <div
                node_ref=frame
                class="editor-frame"
                tabindex="0"
                role="application"
                aria-label="The picture. Arrow keys move it, plus and minus enlarge it."
                on:pointerdown=move |event| moves.begin(&event)
                on:pointermove=move |event| moves.go_on(&event)
                on:pointerup=move |event| moves.end(&event)
                on:pointercancel=move |event| moves.end(&event)
                on:wheel=move |event| moves.turn(&event)
                on:keydown=move |event| moves.press(&event)
            >
                <canvas
                    node_ref=canvas
                    aria-hidden="true"
                    style=("width", share(|(width, ..)| width))
                    style=("height", share(|(_, height, ..)| height))
                    style=("left", share(|(_, _, left, _)| left))
                    style=("top", share(|(.., top)| top))
                ></canvas>
            </div>
            <Zoom crop />
            <Buttons crop save cancel />
        </div>
    }
}

/// Enlarges the picture about the middle of the square.
#[component]
fn Zoom(crop: RwSignal<Crop>) -> impl IntoView {
    view! {
            <input
                type="range"
                class="editor-zoom"
                aria-label="Zoom"
                min="1"
                max=move || number::text(crop.read().most())
                step="any"
                prop:value=move || number::text(crop.read().zoom())
                on:input=move |event| {
                    if let Some(zoom) = number::parse(&event_target_value(&event)) {
                        crop.update(|crop| *crop = crop.zoomed(zoom, (0.5, 0.5)));
                    }
                }
            />
    }
}

#[component]
fn Buttons(
    crop: RwSignal<Crop>,
    save: Callback<(f64, f64, f64)>,
    cancel: Callback<()>,
) -> impl IntoView {
    view! {
            <div class="editor-buttons">
                <button
                    type="button"
                    class="plain-button"
                    data-testid="picture-cancel"
                    on:click=move |_| cancel.run(())
                >
                    "Cancel"
                </button>
                <button
                    type="button"
                    class="button"
                    data-testid="picture-save"
                    on:click=move |_| save.run(crop.get_untracked().square())
                >
                    "Save"
                </button>
            </div>
    }
}

/// What fingers, wheel and keys do to the square.
#[derive(Clone, Copy)]
struct Moves {
    crop: RwSignal<Crop>,
    frame: NodeRef<html::Div>,
    fingers: StoredValue<Vec<Finger>>,
}

impl Moves {
    fn new(crop: RwSignal<Crop>, frame: NodeRef<html::Div>) -> Self {
        Self { crop, frame, fingers: StoredValue::new(Vec::new()) }
    }

    /// Where an event happened, as shares of the square.
    fn place(self, event: &web_sys::MouseEvent) -> Option<(f64, f64)> {
        let frame = self.frame.get_untracked()?.get_bounding_client_rect();
        let share = |at: i32, from: f64, size: f64| (f64::from(at) - from) / size.max(1.0);
        Some((
            share(event.client_x(), frame.left(), frame.width()),
            share(event.client_y(), frame.top(), frame.height()),
        ))
    }

    fn begin(self, event: &ev::PointerEvent) {
        if let (Some(frame), Some(place)) = (self.frame.get_untracked(), self.place(event)) {
            let id = event.pointer_id();
            // A pointer that has gone meanwhile is not followed.
            let _ = frame.set_pointer_capture(id);
            self.fingers.update_value(|fingers| {
                fingers.retain(|(other, _)| *other != id);
                fingers.push((id, place));
            });
        }
    }

    fn end(self, event: &ev::PointerEvent) {
        let id = event.pointer_id();
        self.fingers.update_value(|fingers| fingers.retain(|(other, _)| *other != id));
    }

    fn go_on(self, event: &ev::PointerEvent) {
        let (id, Some(place)) = (event.pointer_id(), self.place(event)) else { return };
        let (before, after) = self
            .fingers
            .try_update_value(|fingers| {
                let before = fingers.clone();
                for (_, at) in fingers.iter_mut().filter(|(other, _)| *other == id) {
                    *at = place;
                }
                (before, fingers.clone())
            })
            .unwrap_or_default();
        self.crop.update(|crop| *crop = follow(*crop, &before, &after));
    }

    fn turn(self, event: &ev::WheelEvent) {
        event.prevent_default();
        let pixels = match event.delta_mode() {
            web_sys::WheelEvent::DOM_DELTA_PIXEL => event.delta_y(),
            _ => event.delta_y() * LINE,
        };
        if let Some(place) = self.place(event) {
            let by = (pixels * WHEEL).exp();
            self.crop.update(|crop| *crop = crop.zoomed(crop.zoom() * by, place));
        }
    }

    fn press(self, event: &ev::KeyboardEvent) {
        let step = if event.shift_key() { 5.0 * STEP } else { STEP };
        let middle = (0.5, 0.5);
        let pressed: Option<fn(Crop, f64) -> Crop> = match event.key().as_str() {
            "ArrowLeft" => Some(|crop, step| crop.dragged(-step, 0.0)),
            "ArrowRight" => Some(|crop, step| crop.dragged(step, 0.0)),
            "ArrowUp" => Some(|crop, step| crop.dragged(0.0, -step)),
            "ArrowDown" => Some(|crop, step| crop.dragged(0.0, step)),
            "+" | "=" => {
                self.crop.update(|crop| *crop = crop.zoomed(crop.zoom() * ENLARGE, middle));
                Some(|crop, _| crop)
            }
            "-" => {
                self.crop.update(|crop| *crop = crop.zoomed(crop.zoom() / ENLARGE, middle));
                Some(|crop, _| crop)
            }
            _ => None,
        };
        if let Some(act) = pressed {
            event.prevent_default();
            self.crop.update(|crop| *crop = act(*crop, step));
        }
    }
}

/// The picture follows one finger, or two, which also enlarge it.
fn follow(crop: Crop, before: &[Finger], after: &[Finger]) -> Crop {
    match (before, after) {
        ([(_, from)], [(_, to)]) => crop.dragged(to.0 - from.0, to.1 - from.1),
        ([(_, a), (_, b), ..], [(_, c), (_, d), ..]) => {
            let (from, to) = (middle(*a, *b), middle(*c, *d));
            let grown = distance(*c, *d) / distance(*a, *b).max(0.001);
            crop.dragged(to.0 - from.0, to.1 - from.1).zoomed(crop.zoom() * grown, to)
        }
        _ => crop,
    }
}

fn middle(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1))
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_finger_drags_and_two_enlarge() {
        let crop = Crop::of(1_000.0, 1_000.0);
        let two = [(1, (0.4, 0.5)), (2, (0.6, 0.5))];
        let apart = [(1, (0.3, 0.5)), (2, (0.7, 0.5))];
        let pinched = follow(crop, &two, &apart);
        assert!((pinched.zoom() - 2.0).abs() < 1e-9, "{}", pinched.zoom());
        let dragged = follow(pinched, &two[..1], &[(1, (0.5, 0.5))]);
        assert!(dragged.square().0 < pinched.square().0, "the picture goes right");
        assert_eq!(follow(crop, &[], &[]), crop);
        assert_eq!(follow(crop, &two, &two[..1]), crop, "one is lifted");
    }
}
