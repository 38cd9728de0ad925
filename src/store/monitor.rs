//! What `window.cacheMonitor` offers. It comes with the later half of the program.

use std::rc::Rc;

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::future_to_promise;

use super::{
    driver::driver,
    sync::{Synced, sync_now},
    worker::has_worker,
};
use crate::{
    browser::{
        json,
        monitor::{self, Method},
        quota,
    },
    cache::{
        core::Event,
        explain::explain,
        metrics::Metrics,
        storage::{Storage, limits},
    },
};

/// Offers it for the life of the document.
#[inline(never)]
pub(super) fn offer() {
    monitor::offer([
        method("getMetrics", |_| json::object(&metrics()).into()),
        method("export", |names| export(names.as_bool() == Some(true)).into()),
        method("logSummary", |_| log_summary()),
        method("explain", |user| explained(&user)),
        method("clear", |_| {
            driver().handle(Event::Clear);
            JsValue::UNDEFINED
        }),
        method("reset", |_| {
            driver().counters.reset();
            JsValue::UNDEFINED
        }),
        method("sync", |_| sync().into()),
        method("subscribe", subscribe),
        method("getStorage", |_| promise(async { json::object(&storage().await).into() })),
        method("persist", |_| promise(async { quota::persist().await.into() })),
    ]);
}

fn method(
    name: &'static str,
    act: impl Fn(JsValue) -> JsValue + 'static,
) -> (&'static str, Method) {
    (name, Box::new(act))
}

/// What was counted so far.
pub(super) fn metrics() -> Metrics {
    let driver = driver();
    driver.counters.metrics(|layer| driver.read(|core| core.usage(layer)))
}

/// As a JSON text; with pseudonyms unless `names` are asked for.
fn export(names: bool) -> Option<String> {
    let metrics = metrics();
    json::write(&if names { metrics } else { metrics.pseudonymous() })
}

/// A line for people, and below it a row a layer; returns the line.
fn log_summary() -> JsValue {
    let metrics = metrics();
    let line = JsValue::from(metrics.in_a_line());
    let layers = json::object(&metrics).unwrap_or_default();
    let layers = Reflect::get(&layers, &"layers".into()).unwrap_or_default();
    web_sys::console::group_1(&line);
    web_sys::console::table_1(&layers);
    web_sys::console::group_end();
    line
}

/// A sentence for each layer that the last load of a user asked; none if there was no such load.
fn explained(user: &JsValue) -> JsValue {
    let user = user.as_string().unwrap_or_default();
    let metrics = metrics();
    let load = metrics.recent.iter().rev().find(|load| load.user.as_str() == user);
    let sentences = load.map(explain).unwrap_or_default();
    sentences.into_iter().map(JsValue::from).collect::<Array>().into()
}

/// Resolves to a sentence.
fn sync() -> Promise {
    Promise::new(&mut |resolve, _| {
        sync_now(move |synced| {
            let _ = resolve.call1(&JsValue::NULL, &sentence(synced).into());
        });
    })
}

fn promise(future: impl Future<Output = JsValue> + 'static) -> JsValue {
    future_to_promise(async { Ok(future.await) }).into()
}

/// What may be stored, and what is.
async fn storage() -> Storage {
    let (estimate, persisted) = (quota::estimate().await, quota::persisted().await);
    Storage {
        usage_bytes: estimate.map(|estimate| estimate.usage_bytes),
        quota_bytes: estimate.map(|estimate| estimate.quota_bytes),
        persisted,
        has_worker: has_worker(),
        limits: driver().read(|core| limits(core.policy())),
    }
}

/// What a sync came to.
fn sentence(synced: Option<Synced>) -> String {
    let Some(Synced { people, pictures }) = synced else { return String::new() };
    let people = counted(people, "person", "people");
    match pictures {
        Some(pictures) => {
            format!("{people} and {} renewed.", counted(pictures, "picture", "pictures"))
        }
        None => format!("{people} renewed; the server cannot be reached."),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What the layers hold is found out for those who look on, where that is not known.
fn subscribe(callback: JsValue) -> JsValue {
    let Ok(callback) = callback.dyn_into::<Function>() else { return JsValue::UNDEFINED };
    let tell = move || {
        // What it throws is its own.
        let _ = callback.call0(&JsValue::NULL);
        driver().handle(Event::MeasureUsage);
    };
    let number = driver().counters.watch(Rc::new(tell));
    driver().handle(Event::MeasureUsage);
    Closure::once_into_js(move || driver().counters.leave(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_told_in_words() {
        let cases = [
            (None, ""),
            (Some((12, Some(30))), "12 people and 30 pictures renewed."),
            (Some((1, Some(1))), "1 person and 1 picture renewed."),
            (Some((0, Some(0))), "0 people and 0 pictures renewed."),
            (Some((50, None)), "50 people renewed; the server cannot be reached."),
        ];
        for (synced, expected) in cases {
            let synced = synced.map(|(people, pictures)| Synced { people, pictures });
            assert_eq!(sentence(synced), expected);
        }
    }
}
