//! The rest of the window: other tabs, the network, the viewport, pictures, the console.

use std::{cell::RefCell, rc::Rc};

use futures_channel::mpsc;
use futures_util::StreamExt;
use miniature::{
    browser::{
        cookies, decode, monitor, online, quota, random,
        tabs::{self, TabChange},
        viewport::{self, Viewport},
        visibility,
    },
    cache::entry::{Content, Rendition},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement};

use crate::{
    samples::{PIXEL, image, rendition},
    script::{self, Errors, Replaced},
};

#[wasm_bindgen_test]
async fn a_change_made_by_another_tab_is_heard() {
    let (heard, mut changes) = mpsc::unbounded();
    let listener =
        tabs::on_storage("watched:", move |change| heard.unbounded_send(change).unwrap());
    // A frame is a tab of its own, as far as the event is concerned.
    let write = "const frame = document.body.appendChild(document.createElement('iframe'));
         const storage = frame.contentWindow.localStorage;
         storage.setItem('unwatched', '1');
         storage.setItem('watched:key', '2');
         storage.setItem('watched:key', '3');
         storage.removeItem('watched:key');
         storage.removeItem('unwatched');";
    script::run(write, &[]).await;

    for (old, new) in [(None, Some("2")), (Some("2"), Some("3")), (Some("3"), None)] {
        let key = Some("watched:key".to_owned());
        let change = TabChange { key, old: old.map(Into::into), new: new.map(Into::into) };
        assert_eq!(changes.next().await, Some(change));
    }
    drop(listener);
    assert_eq!(changes.next().await, None, "a dropped listener drops its callback");
    script::run("document.querySelector('iframe').remove();", &[]).await;
}

#[wasm_bindgen_test]
fn becoming_hidden_and_visible_is_heard_until_the_guard_drops() {
    let states = Rc::new(RefCell::new(Vec::new()));
    let seen = states.clone();
    let guard = visibility::on_change(move |visible| seen.borrow_mut().push(visible));
    let change = |state: &str| {
        let _state = Replaced::by(&format!(
            "Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }});
             return () => {{ delete document.visibilityState; }};"
        ));
        assert_eq!(visibility::is_visible(), state == "visible");
        js_sys::eval("document.dispatchEvent(new Event('visibilitychange'))").unwrap();
    };
    change("hidden");
    change("visible");
    drop(guard);
    change("hidden");
    assert_eq!(*states.borrow(), [false, true]);
}

#[wasm_bindgen_test]
async fn only_what_decodes_is_said_to() {
    let as_url = |picture: Rendition| Rendition {
        content: Content::DataUrl(picture.content.to_data_url()),
        ..picture
    };
    for (bytes, expected) in [(&PIXEL[..], true), (&PIXEL[..30], false), (b"<html>", false)] {
        let picture = rendition(image(1), bytes);
        assert_eq!(decode::decodes(&picture).await, expected, "{bytes:?}");
        assert_eq!(decode::decodes(&as_url(picture)).await, expected, "{bytes:?} as a URL");
    }
}

#[wasm_bindgen_test]
async fn a_picture_that_was_cut_off_does_not_decode() {
    let noise = "const canvas = document.createElement('canvas');
         canvas.width = canvas.height = 64;
         const paint = canvas.getContext('2d');
         for (let at = 0; at < 4096; at++) {
             paint.fillStyle = `hsl(${(at * 47) % 360} 80% 50%)`;
             paint.fillRect(at % 64, at >> 6, 1, 1);
         }
         const blob = await new Promise((done) => canvas.toBlob(done, 'image/webp'));
         return blob.arrayBuffer();";
    let bytes = js_sys::Uint8Array::new(&script::run(noise, &[]).await).to_vec();
    assert!(decode::decodes(&rendition(image(1), &bytes)).await);
    assert!(!decode::decodes(&rendition(image(1), &bytes[..bytes.len() / 2])).await);
}

#[wasm_bindgen_test]
fn seeds_differ_with_and_without_crypto() {
    assert_ne!(random::seed(), random::seed());
    let _none = Replaced::denied("window", "crypto");
    assert_ne!(random::seed(), 0);
}

#[wasm_bindgen_test]
fn a_cookie_is_read_by_its_whole_name() {
    cookies::set("watched", "ada.0123abcd", std::time::Duration::from_secs(60));
    assert_eq!(cookies::get("watched").as_deref(), Some("ada.0123abcd"));
    assert_eq!((cookies::get("watche"), cookies::get("atched")), (None, None));
    cookies::remove("watched");
    assert_eq!(cookies::get("watched"), None);
}

#[wasm_bindgen_test]
fn going_offline_and_online_is_heard_until_the_guard_drops() {
    let errors = Errors::noted();
    let states = Rc::new(RefCell::new(Vec::new()));
    let seen = states.clone();
    let guard = online::on_change(move |online| seen.borrow_mut().push(online));
    let dispatch = |event| {
        js_sys::eval(&format!("dispatchEvent(new Event('{event}'))")).unwrap();
    };
    dispatch("offline");
    dispatch("online");
    drop(guard);
    dispatch("offline");
    assert_eq!(*states.borrow(), [false, true]);
    assert_eq!(errors.messages(), "", "a dropped callback is not called");
}

#[wasm_bindgen_test]
fn the_browser_knows_whether_there_is_a_network() {
    let offline = Replaced::by(
        "Object.defineProperty(navigator, 'onLine', { value: false, configurable: true });
         return () => { delete navigator.onLine; };",
    );
    assert!(!online::is_online());
    drop(offline);
    assert!(online::is_online());
}

#[wasm_bindgen_test]
async fn an_element_is_seen_to_come_and_go() {
    let body = web_sys::window().unwrap().document().unwrap().body().unwrap();
    let tall: HtmlElement = web_sys::window()
        .unwrap()
        .document()
        .unwrap()
        .create_element("div")
        .unwrap()
        .unchecked_into();
    tall.style().set_property("margin-top", "100000px").unwrap();
    tall.set_text_content(Some("far below"));
    body.append_child(&tall).unwrap();
    let (seen, mut views) = mpsc::unbounded();
    let viewport = Viewport::new("0px", move |element: Element, inside| {
        seen.unbounded_send((element, inside)).unwrap();
    });
    let viewport = viewport.unwrap();
    viewport.observe(&tall);

    assert_eq!(views.next().await.map(|(_, inside)| inside), Some(false));
    tall.style().set_property("margin-top", "0").unwrap();
    tall.scroll_into_view();
    assert_eq!(views.next().await.map(|(_, inside)| inside), Some(true));

    drop(viewport);
    assert!(views.next().await.is_none(), "a dropped viewport drops its callback");
    tall.remove();
}

#[wasm_bindgen_test]
fn the_screen_and_the_line_are_read() {
    assert!(viewport::device_pixel_ratio() > 0.0);
    let connection = |saves: &str| {
        Replaced::by(&format!(
            "Object.defineProperty(navigator, 'connection', {{ value: {saves}, configurable: true }});
             return () => {{ delete navigator.connection; }};"
        ))
    };
    let cases = [
        ("{ saveData: true }", true),
        ("{ effectiveType: '3g' }", true),
        ("{ saveData: false, effectiveType: '4g' }", false),
        ("{}", false),
        ("undefined", false),
    ];
    for (value, expected) in cases {
        let _connection = connection(value);
        assert_eq!(viewport::spares_traffic(), expected, "{value}");
    }
}

#[wasm_bindgen_test]
async fn storage_is_estimated_where_the_browser_can() {
    let estimate = quota::estimate().await.unwrap();
    assert!(estimate.quota_bytes > estimate.usage_bytes);
    assert_eq!(quota::persisted().await, Some(false));

    let _absent = Replaced::by(
        "Object.defineProperty(navigator, 'storage', { value: undefined, configurable: true });
         return () => { delete navigator.storage; };",
    );
    assert_eq!(quota::estimate().await, None);
    assert_eq!(quota::persisted().await, None);
}

#[wasm_bindgen_test]
async fn the_monitor_passes_its_argument_on_and_returns_what_comes_of_it() {
    monitor::offer([
        ("double", method(|number| (number.as_f64().unwrap_or_default() * 2.0).into())),
        (
            "again",
            method(|callback| {
                callback.unchecked_ref::<js_sys::Function>().call0(&JsValue::NULL).unwrap()
            }),
        ),
    ]);
    let call = "const { double, again } = window.cacheMonitor;
         return [double(21), double(), again(() => double(4))].join();";
    assert_eq!(script::run(call, &[]).await.as_string().as_deref(), Some("42,0,8"));
}

fn method(act: impl Fn(JsValue) -> JsValue + 'static) -> monitor::Method {
    Box::new(move |given| Ok(act(given)))
}
