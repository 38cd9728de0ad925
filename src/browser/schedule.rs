//! When something runs: in this task or the next, at some time, before a frame, in idle time.

use std::{cell::RefCell, collections::VecDeque, future::Future, pin::pin, time::Duration};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use web_sys::{IdleRequestOptions, Window};

use super::number;

/// Runs a future on this thread. It begins in the microtasks of this turn of the event loop.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}

/// Calls `callback` once what runs now has returned, still in this task of the event loop.
pub fn microtask(callback: impl FnOnce() + 'static) {
    spawn(async { callback() });
}

type Callback = Box<dyn FnOnce()>;

thread_local! {
    static NEXT_TASKS: RefCell<VecDeque<Callback>> = const { RefCell::new(VecDeque::new()) };
    static CHANNEL: Option<MessageChannel> = channel();
}

#[wasm_bindgen]
extern "C" {
    type MessageChannel;
    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<MessageChannel, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;
    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    type MessagePort;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &MessagePort, callback: &JsValue);
    #[wasm_bindgen(method, js_name = postMessage, catch)]
    fn post_message(this: &MessagePort, message: &JsValue) -> Result<(), JsValue>;
}

/// Calls `callback` in a task of its own, after those that wait already.
///
/// By a `MessageChannel`: unlike a timer it is not put off in a page that is busy or hidden.
pub fn next_task(callback: impl FnOnce() + 'static) {
    NEXT_TASKS.with_borrow_mut(|tasks| tasks.push_back(Box::new(callback)));
    let posted = CHANNEL.with(|channel| {
        let port = channel.as_ref()?.port2();
        port.post_message(&JsValue::NULL).ok()
    });
    if posted.is_none() {
        after(Duration::ZERO, run_next_task);
    }
}

fn channel() -> Option<MessageChannel> {
    let channel = MessageChannel::new().ok()?;
    let run = Closure::<dyn FnMut()>::new(run_next_task);
    channel.port1().set_onmessage(&run.into_js_value());
    Some(channel)
}

fn run_next_task() {
    if let Some(task) = NEXT_TASKS.with_borrow_mut(VecDeque::pop_front) {
        task();
    }
}

/// A timer that rings once, and is cleared when dropped.
#[derive(Debug)]
#[must_use = "a dropped timer does not ring"]
pub struct Timer {
    id: i32,
    _ring: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `callback` once after `delay`, which is whole milliseconds, rounded up. None without
    /// a window: nothing could ring.
    pub fn set(delay: Duration, callback: impl FnOnce() + 'static) -> Option<Self> {
        let ring = Closure::once(callback);
        let id = set_timeout(ring.as_ref(), delay)?;
        Some(Self { id, _ring: ring })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.id);
        }
    }
}

/// Waits for `duration`. Dropping the future clears its timer.
pub async fn sleep(duration: Duration) {
    let (ring, rings) = oneshot::channel::<()>();
    let timer = Timer::set(duration, move || {
        let _ = ring.send(());
    });
    if timer.is_some() {
        let _ = rings.await;
    }
}

/// What comes of `work`; none if it takes longer than `limit`, and is dropped then.
pub async fn within<T>(work: impl Future<Output = T>, limit: Duration) -> Option<T> {
    match select(pin!(work), pin!(sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Calls `callback` once when the browser is idle, or after `timeout` if it is not idle before.
///
/// WebKit has no `requestIdleCallback`; there a timer does, after what is queued now.
pub fn on_idle(callback: impl FnOnce() + 'static, timeout: Duration) {
    let Some(window) = web_sys::window() else { return };
    if !has(&window, "requestIdleCallback") {
        return after(Duration::ZERO, callback);
    }
    let options = IdleRequestOptions::new();
    options.set_timeout(number::timer_millis(timeout).unsigned_abs());
    let callback = Closure::once_into_js(callback);
    let function = callback.unchecked_ref();
    let _ = window.request_idle_callback_with_options(function, &options);
}

/// Calls `callback` once what is drawn now has been painted.
pub fn once_painted(callback: impl FnOnce() + 'static) {
    in_two_frames(Box::new(callback));
}

/// One function for all of them.
fn in_two_frames(callback: Box<dyn FnOnce()>) {
    next_frame(move || next_frame(callback));
}

/// Calls `callback` once, just before the next frame is painted.
pub fn next_frame(callback: impl FnOnce() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let callback = Closure::once_into_js(callback);
    let _ = window.request_animation_frame(callback.unchecked_ref());
}

/// Ends just before the next frame is painted.
pub async fn frame() {
    let (begin, begins) = oneshot::channel::<()>();
    next_frame(move || {
        let _ = begin.send(());
    });
    let _ = begins.await;
}

fn after(delay: Duration, callback: impl FnOnce() + 'static) {
    let _ = set_timeout(&Closure::once_into_js(callback), delay);
}

fn set_timeout(callback: &JsValue, delay: Duration) -> Option<i32> {
    let (function, delay) = (callback.unchecked_ref(), number::timer_millis(delay));
    let window = web_sys::window()?;
    window.set_timeout_with_callback_and_timeout_and_arguments_0(function, delay).ok()
}

fn has(window: &Window, name: &str) -> bool {
    js_sys::Reflect::has(window, &JsValue::from(name)).unwrap_or(false)
}
