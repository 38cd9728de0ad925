//! What follows from signals.

use leptos::prelude::Effect;

/// Calls `act` soon, and again whenever something that it reads has changed, until its owner is
/// gone.
///
/// An [`Effect`] without a value, by a trait object: the bundle holds its machinery once.
pub(crate) fn react(act: impl FnMut() + 'static) {
    react_boxed(Box::new(act));
}

fn react_boxed(mut act: Box<dyn FnMut()>) {
    Effect::new(move |_| act());
}
