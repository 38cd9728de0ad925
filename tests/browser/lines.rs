//! What tabs share: a channel and a lock.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::{AbortHandle, abortable};
use miniature::browser::{channel::Channel, lock, schedule};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::script;

/// What happened, in order.
type Events = Rc<RefCell<Vec<String>>>;

/// Waits for a condition, 5 s at most.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        schedule::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {what}");
}

/// A channel that notes what it hears under a name.
fn hearing(events: &Events, name: &'static str) -> Channel {
    let events = events.clone();
    let hear = move |text| events.borrow_mut().push(format!("{name} {text}"));
    Channel::open("miniature:test:channel", hear).unwrap()
}

#[wasm_bindgen_test]
async fn a_channel_hears_the_others_until_it_is_dropped_and_never_itself() {
    let events = Events::default();
    let (one, other) = (hearing(&events, "one"), hearing(&events, "other"));
    one.post("a");
    other.post("b");
    until("two messages", async || events.borrow().len() == 2).await;

    drop(other);
    let last = hearing(&events, "last");
    one.post("c");
    until("a third message", async || events.borrow().len() == 3).await;

    let mut events = events.take();
    events.sort();
    assert_eq!(events, ["last c", "one b", "other a"]);
    drop(last);
}

/// Holds the lock under a name until the handle says no more, and notes when it is granted and lost.
fn hold(events: &Events, lock: &'static str, name: &'static str, steal: bool) -> AbortHandle {
    let (granted, lost) = (events.clone(), events.clone());
    let note = move || granted.borrow_mut().push(format!("{name} has it"));
    let (held, abort) = abortable(lock::hold(lock, steal, note));
    schedule::spawn(async move {
        if held.await == Ok(true) {
            lost.borrow_mut().push(format!("{name} lost it"));
        }
    });
    abort
}

/// How many wait for the lock.
async fn waiting(lock: &str) -> f64 {
    let count = "return (await navigator.locks.query()).pending.filter(({ name }) => name === args[0]).length";
    script::run(count, &[lock]).await.as_f64().unwrap()
}

#[wasm_bindgen_test]
async fn a_lock_goes_to_the_next_when_the_first_gives_it_up() {
    const LOCK: &str = "miniature:test:queue";
    let events = Events::default();
    let first = hold(&events, LOCK, "first", false);
    until("the first", async || events.borrow().len() == 1).await;
    let second = hold(&events, LOCK, "second", false);
    let third = hold(&events, LOCK, "third", false);
    until("the others wait", async || waiting(LOCK).await == 2.0).await;

    second.abort();
    until("one has left", async || waiting(LOCK).await == 1.0).await;
    first.abort();

    until("the third", async || events.borrow().len() == 2).await;
    assert_eq!(events.take(), ["first has it", "third has it"]);
    third.abort();
}

#[wasm_bindgen_test]
async fn a_lock_that_is_stolen_is_lost() {
    const LOCK: &str = "miniature:test:stolen";
    let events = Events::default();
    let first = hold(&events, LOCK, "first", false);
    until("the first", async || events.borrow().len() == 1).await;

    let thief = hold(&events, LOCK, "thief", true);

    until("the thief", async || events.borrow().len() == 3).await;
    let mut events = events.take();
    events.sort();
    assert_eq!(events, ["first has it", "first lost it", "thief has it"]);
    first.abort();
    thief.abort();
}

#[wasm_bindgen_test]
async fn without_locks_the_hold_ends_at_once() {
    let _replaced = script::Replaced::property("Navigator.prototype", "locks", "undefined");
    assert!(!lock::has_locks());
    assert!(!lock::hold("miniature:test:none", false, || panic!("granted")).await);
}
