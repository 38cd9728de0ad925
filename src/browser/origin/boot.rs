//! What `boot.js` asked for before WebAssembly had started.
//!
//! It leaves `window.__miniature = {friends, session, pictures, cursor}`: promises of responses,
//! the size of the pictures asked for, and the page. Each is taken once.

use js_sys::{Object, Promise, Reflect};
use miniature_api::Size;
use wasm_bindgen::{JsCast, JsValue};

const NAME: &str = "__miniature";

/// The request for the first page of friends, on its way.
#[derive(Debug)]
pub struct BootFriends {
    pub(super) response: Promise,
    /// The size of the pictures that come along, if any do.
    pub pictures: Option<Size>,
    /// The page asked for; the first without.
    pub cursor: Option<String>,
}

/// The request for the signed-in user, on its way.
#[derive(Debug)]
pub struct BootSession {
    pub(super) response: Promise,
}

/// The friends' request, unless it was taken or never sent.
pub fn take_boot_friends() -> Option<BootFriends> {
    let response = take("friends")?;
    let pictures = field("pictures").and_then(|size| size_of(&size));
    Some(BootFriends { response, pictures, cursor: field("cursor")?.as_string() })
}

/// The session's request, unless it was taken or never sent.
pub fn take_boot_session() -> Option<BootSession> {
    Some(BootSession { response: take("session")? })
}

fn size_of(value: &JsValue) -> Option<Size> {
    Size::ALL.into_iter().find(|size| value.as_f64() == Some(f64::from(size.px())))
}

fn take(name: &str) -> Option<Promise> {
    let promise = field(name)?.dyn_into().ok()?;
    let boot: Object = boot()?.unchecked_into();
    Reflect::delete_property(&boot, &JsValue::from(name)).ok()?;
    Some(promise)
}

fn field(name: &str) -> Option<JsValue> {
    Reflect::get(&boot()?, &JsValue::from(name)).ok()
}

fn boot() -> Option<JsValue> {
    let window = JsValue::from(web_sys::window()?);
    Reflect::get(&window, &JsValue::from(NAME)).ok().filter(JsValue::is_object)
}
