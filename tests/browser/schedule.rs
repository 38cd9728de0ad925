//! Clocks and timers: they ring, in their order, and are cleared when nobody waits for them.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_channel::oneshot;
use futures_util::FutureExt;
use miniature::browser::{
    clock,
    schedule::{self, Timer},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::script::Replaced;

#[wasm_bindgen_test]
async fn a_sleep_lasts_as_long_as_it_was_told() {
    let before = clock::now().running;
    schedule::sleep(Duration::from_millis(20)).await;
    // Browsers blur their clocks by up to a millisecond or two.
    assert!(clock::now().running - before >= Duration::from_millis(18));
}

/// Notes which timers run.
fn timers_noted() -> Replaced {
    Replaced::by(
        "const { setTimeout: set, clearTimeout: clear } = window;
         window.timers = new Set();
         window.setTimeout = (...args) => { const id = set(...args); timers.add(id); return id; };
         window.clearTimeout = (id) => { timers.delete(id); clear(id); };
         return () => Object.assign(window, { setTimeout: set, clearTimeout: clear });",
    )
}

fn running() -> Option<f64> {
    js_sys::eval("window.timers.size").unwrap().as_f64()
}

#[wasm_bindgen_test]
fn a_sleep_that_nobody_waits_for_clears_its_timer() {
    let timers = timers_noted();
    let mut sleep = Box::pin(schedule::sleep(Duration::from_secs(3600)));
    assert!(sleep.as_mut().now_or_never().is_none());
    assert_eq!(running(), Some(1.0));

    drop(sleep);
    assert_eq!(running(), Some(0.0));
    drop(timers);
}

#[wasm_bindgen_test]
async fn a_timer_rings_once_unless_it_was_dropped() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let ring = |name| {
        let rung = rung.clone();
        move || rung.borrow_mut().push(name)
    };
    let kept = Timer::set(Duration::from_millis(1), ring("kept"));
    drop(Timer::set(Duration::from_millis(1), ring("dropped")));
    assert_eq!(Rc::strong_count(&rung), 2, "a dropped timer drops its callback");
    schedule::sleep(Duration::from_millis(10)).await;
    assert_eq!(*rung.borrow(), ["kept"]);
    drop(kept);
}

/// As the driver does: what rings sets the timer anew, which drops the one that is ringing.
#[wasm_bindgen_test]
async fn a_timer_may_be_replaced_while_it_rings() {
    let (done, ended) = oneshot::channel();
    let slot = Rc::new(RefCell::new(None));
    let (again, mut done) = (slot.clone(), Some(done));
    let first = Timer::set(Duration::ZERO, move || {
        let second = Timer::set(Duration::ZERO, move || {
            let _ = done.take().unwrap().send(());
        });
        again.replace(second);
    });
    slot.replace(first);
    ended.await.unwrap();
}

#[wasm_bindgen_test]
async fn microtasks_run_before_tasks_and_tasks_in_their_order() {
    let ran = Rc::new(RefCell::new(Vec::new()));
    let note = |name| {
        let ran = ran.clone();
        move || ran.borrow_mut().push(name)
    };
    let (done, ended) = oneshot::channel();
    schedule::next_task(note("first task"));
    schedule::next_task({
        let (note, nested) = (note("second task"), note("its microtask"));
        move || {
            schedule::microtask(nested);
            note();
        }
    });
    schedule::microtask(note("microtask"));
    schedule::next_task(note("third task"));
    schedule::next_task(move || done.send(()).unwrap());
    note("now")();

    ended.await.unwrap();
    let expected = ["now", "microtask", "first task", "second task", "its microtask", "third task"];
    assert_eq!(*ran.borrow(), expected);
}

async fn idle(timeout: Duration) {
    let (ran, runs) = oneshot::channel();
    schedule::on_idle(move || ran.send(()).unwrap(), timeout);
    runs.await.unwrap();
}

#[wasm_bindgen_test]
async fn idle_work_runs_with_and_without_an_idle_callback() {
    idle(Duration::from_secs(1)).await;
    let _webkit = Replaced::by(
        "const held = Object.getOwnPropertyDescriptor(window, 'requestIdleCallback');
         delete window.requestIdleCallback;
         return () => Object.defineProperty(window, 'requestIdleCallback', held);",
    );
    idle(Duration::from_secs(1)).await;
}

#[wasm_bindgen_test]
fn idle_work_names_its_time_limit() {
    let _replaced = Replaced::property(
        "window",
        "requestIdleCallback",
        "(call, options) => { window.idleTimeout = options.timeout; call(); }",
    );
    schedule::on_idle(|| {}, Duration::from_millis(1500));
    assert_eq!(js_sys::eval("window.idleTimeout").unwrap().as_f64(), Some(1500.0));
}

#[wasm_bindgen_test]
async fn the_next_frame_comes() {
    let (ran, runs) = oneshot::channel();
    schedule::next_frame(move || {
        let _ = ran.send(());
    });
    runs.await.unwrap();
}

#[wasm_bindgen_test]
fn the_wall_clock_is_later_than_this_test_was_written() {
    assert!(clock::now().wall.0 > 1_750_000_000_000);
}
