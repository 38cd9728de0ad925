//! Requests and transactions, as futures.
//!
//! One kind of future for all of them: the wrapper crates have one for each kind of request, and
//! each of those weighs.

use std::{cell::Cell, rc::Rc};

use futures_channel::oneshot;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{IdbRequest, IdbTransaction};

use super::Done;

/// The result of a request. Its handlers are in place when this returns, not when the future is
/// first polled.
pub(super) fn result(request: Done<IdbRequest>) -> impl Future<Output = Done<JsValue>> {
    let begun = request.map(|request| {
        let (on_end, ended) = signal();
        let function = Some(on_end.unchecked_ref());
        request.set_onsuccess(function);
        request.set_onerror(function);
        (request, ended)
    });
    async {
        let (request, ended) = begun?;
        let _ = ended.await;
        match request.error()? {
            Some(error) => Err(error.into()),
            None => request.result(),
        }
    }
}

/// Resolves when the transaction is over, to whether it was committed.
pub(super) fn committed(transaction: &IdbTransaction) -> oneshot::Receiver<bool> {
    let (end, ended) = oneshot::channel();
    let end = Rc::new(Cell::new(Some(end)));
    let on_end = |committed| {
        let end = end.clone();
        function(move || {
            if let Some(end) = end.take() {
                let _ = end.send(committed);
            }
        })
    };
    transaction.set_oncomplete(Some(on_end(true).unchecked_ref()));
    transaction.set_onabort(Some(on_end(false).unchecked_ref()));
    ended
}

/// A function, and what resolves when it is called the first time.
pub(super) fn signal() -> (JsValue, oneshot::Receiver<()>) {
    let (end, ended) = oneshot::channel();
    let mut end = Some(end);
    let on_end = function(move || {
        if let Some(end) = end.take() {
            let _ = end.send(());
        }
    });
    (on_end, ended)
}

/// The browser collects the function together with what it is set on.
fn function(call: impl FnMut() + 'static) -> JsValue {
    Closure::<dyn FnMut()>::new(call).into_js_value()
}
