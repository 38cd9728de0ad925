//! A button of the panel.

use leptos::prelude::*;

/// One function for all of them. `name` is what a journey finds it by.
#[inline(never)]
pub(super) fn button(
    class: Option<&'static str>,
    name: &'static str,
    label: String,
    title: Option<&'static str>,
    act: Box<dyn Fn()>,
) -> AnyView {
    view! {
        <button type="button" class=class data-action=name title=title on:click=move |_| act()>
            {label}
        </button>
    }
    .into_any()
}

/// One that stands by itself.
pub(super) fn lone_button(
    name: &'static str,
    label: impl Into<String>,
    act: impl Fn() + 'static,
) -> AnyView {
    button(Some("dashboard-more"), name, label.into(), None, Box::new(act))
}
