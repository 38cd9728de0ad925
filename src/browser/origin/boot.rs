//! What `boot.js` asked for before WebAssembly had started.
//!
//! It leaves `window.__miniature = {friends, session, pictures, marker, asked_at, abort}`: promises
//! of responses, the size of the pictures asked for, the account marker and the running time of
//! then, and an abort controller for each promise, under its name. Each promise is taken once.

use std::time::Duration;

use js_sys::{Object, Promise, Reflect};
use miniature_api::{ACCOUNT_COOKIE, Size};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

use super::exchange::AbortOnDrop;
use crate::{
    browser::{clock, cookies},
    cache::core::Request,
};

const NAME: &str = "__miniature";
const FRIENDS: &str = "friends";
const SESSION: &str = "session";

/// A request on its way. It is aborted if this is dropped.
#[derive(Debug)]
pub struct Begun {
    pub(super) response: Promise,
    pub(super) abort: Option<AbortOnDrop>,
    /// The size of the pictures that come along, if any do.
    pub(super) pictures: Option<Size>,
    /// When it was sent, on the running clock.
    pub(super) asked: Duration,
}

/// The answer to `request`, if `boot.js` has asked for it, for the account marker that the cookie
/// holds now, and less than `boot_age` ago. Otherwise all that it asked for is aborted, unless
/// `request` is none of its own.
pub fn take_boot(request: &Request, boot_age: Duration) -> Option<Begun> {
    let name = match request {
        Request::Friends { cursor: None, etag: None, .. } => FRIENDS,
        Request::Session => SESSION,
        Request::Friends { .. }
        | Request::Feed(_)
        | Request::Pictures { .. }
        | Request::Rendition { .. }
        | Request::Profile(_)
        | Request::SignOut(_) => return None,
    };
    let window = web_sys::window()?;
    let boot = field(&window, NAME)?;
    let Some(asked) = asked_at(&boot, boot_age) else {
        drop([FRIENDS, SESSION].map(|name| abort(&boot, name)));
        let _ = Reflect::delete_property(&window, &NAME.into());
        return None;
    };
    let response = field(&boot, name)?.dyn_into().ok()?;
    let _ = Reflect::delete_property::<Object>(boot.unchecked_ref(), &name.into());
    let pictures = field(&boot, "pictures").and_then(|size| size_of(&size));
    Some(Begun { response, abort: abort(&boot, name), pictures, asked })
}

/// When it was asked for, if that is not too long ago and the account is still the same.
fn asked_at(boot: &JsValue, boot_age: Duration) -> Option<Duration> {
    let marker = field(boot, "marker")?.as_string()?;
    let asked = clock::running(field(boot, "asked_at")?.as_f64()?);
    let age = clock::now().running.checked_sub(asked)?;
    (age < boot_age && cookies::get(ACCOUNT_COOKIE)? == marker).then_some(asked)
}

fn abort(boot: &JsValue, name: &str) -> Option<AbortOnDrop> {
    let controller: AbortController = field(&field(boot, "abort")?, name)?.dyn_into().ok()?;
    Some(AbortOnDrop(controller))
}

fn size_of(value: &JsValue) -> Option<Size> {
    Size::ALL.into_iter().find(|size| value.as_f64() == Some(f64::from(size.px())))
}

/// A field of an object; none if it is no object, or has no such field.
fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_undefined()).then_some(value)
}
