//! The dashboard's panel, which knows the page by `window.cacheMonitor` alone.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{mount::mount_to, prelude::*};
use miniature::{
    browser::{
        monitor::{self, Method},
        schedule,
    },
    ui::DashboardPanel,
};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use crate::script;

/// What a page exports that has answered so many requests.
fn exported(requests: u32) -> String {
    let layer = r#"{"hits":1,"misses":2,"missed":{"absent":1,"other_revision":0,"too_small":1},"errors":0,"shed_bytes":0,"p50_ms":1.5,"p95_ms":null,"entries":null,"bytes":null}"#;
    let layers = ["memory", "local_storage", "indexed_db", "service_worker", "network"];
    let layers = layers.map(|name| format!("\"{name}\":{layer}")).join(",");
    let load = r#"{"user":"ada","size":64,"outcome":{"kind":"shown","source":"network"},"asked_ms":3,"took_ms":12.5,
        "bytes":900,"path":[{"layer":"memory","answer":"absent","took_ms":0}]}"#;
    format!(
        r#"{{"schema":2,"since":7,"total_requests":{requests},"hit_rate":0.5,"coalesced":0,"stale":0,
            "negative":0,"api_requests":1,"average_load_ms":2.5,"bytes_from_network":900,"bytes_saved":0,
            "time_saved_ms":0,"layers":{{{layers}}},"minutes":[],"storage":null,
            "recommendations":[],"recent":[{load}]}}"#
    )
}

async fn shown() -> Option<String> {
    let call = "return document.querySelector('[data-metric=total_requests]')?.dataset.value;";
    script::run(call, &[]).await.as_string()
}

#[wasm_bindgen_test]
async fn the_panel_waits_for_the_page_and_follows_its_figures_until_it_goes() {
    let _gone = script::Replaced::by(
        "const held = window.cacheMonitor;
         delete window.cacheMonitor;
         return () => { window.cacheMonitor = held; };",
    );
    let body: HtmlElement = document().body().unwrap().unchecked_into();
    let panel = mount_to(body, || view! { <DashboardPanel close=Callback::new(|()| ()) /> });
    assert_eq!(shown().await, None, "the page has no monitor yet");

    let (requests, left) = (Rc::new(Cell::new(3)), Rc::new(Cell::new(false)));
    let callback = Rc::new(Cell::new(JsValue::UNDEFINED));
    monitor::offer([
        (
            "getMetrics",
            method({
                let requests = requests.clone();
                move |_| js_sys::JSON::parse(&exported(requests.get())).unwrap()
            }),
        ),
        ("storage", method(|_| js_sys::Promise::resolve(&JsValue::NULL).into())),
        ("imported", method(|_| JsValue::NULL)),
        ("bypass", method(|_| JsValue::FALSE)),
        (
            "subscribe",
            method({
                let (callback, left) = (callback.clone(), left.clone());
                move |given| {
                    callback.set(given);
                    let left = left.clone();
                    Closure::once_into_js(move || left.set(true))
                }
            }),
        ),
    ]);
    for _ in 0..100 {
        if shown().await.is_some() {
            break;
        }
        schedule::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(shown().await.as_deref(), Some("3"));

    requests.set(4);
    let call = callback.take().unchecked_into::<js_sys::Function>();
    call.call0(&JsValue::NULL).unwrap();
    schedule::sleep(Duration::ZERO).await;
    assert_eq!(shown().await.as_deref(), Some("4"));

    drop(panel);
    assert_eq!(shown().await, None);
    assert!(left.get(), "it tells the page that it has gone");
}

fn method(act: impl Fn(JsValue) -> JsValue + 'static) -> Method {
    Box::new(move |given| Ok(act(given)))
}
