//! What other settings would have gained in what was recorded.

use super::{Shown, button::lone_button, say};
use crate::browser::schedule;
use js_sys::{Array, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// A button that asks, and what came of it.
#[component]
pub(super) fn Trial(shown: Shown) -> impl IntoView {
    let advised = RwSignal::new_local(JsValue::NULL);
    let ask = move || ask(shown, advised);
    view! {
        <h4>"Other settings"</h4>
        <div class="dashboard-buttons">
            {lone_button("advise", "Look for better settings", ask)}
        </div>
        {move || outcome(advised.get(), shown)}
    }
}

fn ask(shown: Shown, into: RwSignal<JsValue, LocalStorage>) {
    let Some(monitor) = shown.monitor.try_get_value() else { return };
    say("Going through the recorded session under other settings …");
    schedule::spawn(async move {
        let advised = monitor.advise().await;
        say(match &advised {
            Ok(advised) if advised.is_object() => "",
            Ok(_) => "Nothing was recorded: press Record, use the page, and ask again.",
            Err(_) => "The recorded session could not be gone through.",
        });
        let _ = into.try_set(advised.unwrap_or_default());
    });
}

fn outcome(advised: JsValue, shown: Shown) -> Option<AnyView> {
    let said = get(&advised, "said").as_string()?;
    let told = Array::from(&get(&advised, "told"));
    let advice = Array::from(&get(&advised, "advice"));
    let none = (told.length() == 0)
        .then_some("No change of a limit, a lifetime or the previews gains anything in it.");
    let rows: Vec<AnyView> =
        told.iter().zip(advice.iter()).map(|(told, advice)| row(&told, advice, shown)).collect();
    let view = view! {
        <p data-testid="advised">{said}</p>
        <p class="dashboard-empty">{none}</p>
        <ul class="dashboard-advice">{rows}</ul>
    };
    Some(view.into_any())
}

fn row(told: &JsValue, advice: JsValue, shown: Shown) -> AnyView {
    let text = |name: &str| get(told, name).as_string().unwrap_or_default();
    let act = move || try_out(shown, &advice);
    view! {
        <li data-advice="settings" data-gain=text("gain")>
            <b>{text("changes")}</b>
            <p>{text("gained")}</p>
            {lone_button("try", "Record with these", act)}
        </li>
    }
    .into_any()
}

/// The page is loaded again with these settings, and records.
fn try_out(shown: Shown, advice: &JsValue) {
    let settings = Object::new();
    for change in Array::from(&get(advice, "changes")) {
        let _ = Reflect::set(&settings, &get(&change, "name"), &get(&change, "to"));
    }
    shown.with(|monitor| {
        if monitor.record_with(&settings).is_ok() {
            let _ = window().location().reload();
        }
    });
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}
