//! JavaScript, for what tests do behind the bindings' back.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Runs the body of an async function with `args`, and waits for what it returns.
pub(crate) async fn run(body: &str, args: &[&str]) -> JsValue {
    let function = js_sys::eval(&format!("(async (args) => {{ {body} }})")).unwrap();
    let args: Array = args.iter().copied().map(JsValue::from).collect();
    let promise = function.unchecked_into::<Function>().call1(&JsValue::NULL, &args).unwrap();
    JsFuture::from(promise.unchecked_into::<Promise>()).await.unwrap()
}

/// A part of the browser, replaced until dropped.
pub(crate) struct Replaced(Function);

impl Replaced {
    /// `body` replaces it and returns the function that puts it back.
    pub(crate) fn by(body: &str) -> Self {
        let restore = js_sys::eval(&format!("(() => {{ {body} }})()")).unwrap();
        Self(restore.unchecked_into())
    }

    /// Replaces a property of an object.
    pub(crate) fn property(object: &str, name: &str, value: &str) -> Self {
        Self::by(&format!(
            "const object = {object};
             const held = Object.getOwnPropertyDescriptor(object, '{name}');
             Object.defineProperty(object, '{name}', {{ value: {value}, configurable: true, writable: true }});
             return () => Object.defineProperty(object, '{name}', held);"
        ))
    }

    /// Makes reading a property of an object throw, as a browser does that denies it.
    pub(crate) fn denied(object: &str, name: &str) -> Self {
        Self::by(&format!(
            "const object = {object};
             const held = Object.getOwnPropertyDescriptor(object, '{name}');
             const get = () => {{ throw new DOMException('denied', 'SecurityError'); }};
             Object.defineProperty(object, '{name}', {{ get, configurable: true }});
             return () => Object.defineProperty(object, '{name}', held);"
        ))
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.0.call0(&JsValue::NULL).unwrap();
    }
}

/// What ends up in the console as an uncaught error, until dropped.
pub(crate) struct Errors(#[expect(dead_code, reason = "stops listening when dropped")] Replaced);

impl Errors {
    pub(crate) fn noted() -> Self {
        Self(Replaced::by(
            "window.errors = [];
             const note = (event) => window.errors.push(event.message);
             addEventListener('error', note);
             return () => removeEventListener('error', note);",
        ))
    }

    pub(crate) fn messages(&self) -> String {
        js_sys::eval("window.errors.join()").unwrap().as_string().unwrap()
    }
}
