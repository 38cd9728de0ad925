//! The driver: what follows from a change may begin and stop looking within the call, and what is
//! asked for in one turn goes out in one trip.

use std::{any::Any, cell::RefCell, rc::Rc, time::Duration};

use leptos::{
    mount::mount_to,
    prelude::{Signal, document},
    reactive::{effect::ImmediateEffect, owner::Owner},
    view,
};
use miniature::{
    api::UserId,
    browser::schedule,
    cache::{event::Answer, key::Source},
    store::{PictureCache, Status, provide_picture_cache},
    ui::CachedProfilePicture,
};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use crate::{
    samples::{SIZE, lineage, new_account, user},
    script::{Errors, Replaced},
};

/// Notes each address, and answers that there is no such user, and no friend.
fn nobody_is_there() -> Replaced {
    Replaced::by(&format!(
        "const {{ fetch }} = window;
         window.urls = [];
         window.fetch = async (url) => {{
             window.urls.push(url);
             const users = new URL(url, location.href).searchParams.get('users');
             const nobody = (user) => ({{ user_id: user.split(':')[0], error: 'not_found' }});
             const body = users ? users.split(',').map(nobody) : {{ friends: [], next: null }};
             const headers = {{
                 'content-type': 'application/json',
                 'miniature-lineage': '{}',
                 'miniature-account': window.account,
             }};
             return new Response(JSON.stringify(body), {{ headers }});
         }};
         return () => {{ window.fetch = fetch; }};",
        lineage(1)
    ))
}

/// Counts the transactions in which pictures are read.
fn transactions_are_counted() -> Replaced {
    Replaced::by(
        "const held = IDBDatabase.prototype.transaction;
         window.reads = 0;
         IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
             if (mode === 'readonly' && [...stores].includes('renditions')) window.reads += 1;
             return held.call(this, stores, mode, ...rest);
         };
         return () => { IDBDatabase.prototype.transaction = held; };",
    )
}

/// The cache of an account of its own, which ends with the test.
struct Signed {
    cache: PictureCache,
    account: UserId,
    _owner: Owner,
}

impl Signed {
    fn in_anew() -> Self {
        let (owner, account) = (Owner::new(), new_account());
        js_sys::eval(&format!("window.account = '{account}'")).unwrap();
        let cache = owner.with(|| provide_picture_cache(&account));
        Self { cache, account, _owner: owner }
    }

    /// A picture on the page, until dropped.
    fn row(&self, name: &str) -> Box<dyn Any> {
        let (account, user) = (self.account.clone(), Signal::stored(user(name)));
        let body: HtmlElement = document().body().unwrap().unchecked_into();
        Box::new(mount_to(body, move || {
            provide_picture_cache(&account);
            view! { <CachedProfilePicture user name="Somebody" /> }
        }))
    }
}

impl Drop for Signed {
    fn drop(&mut self) {
        self.cache.close();
    }
}

fn number(script: &str) -> f64 {
    js_sys::eval(script).unwrap().as_f64().unwrap()
}

fn is_on_page(name: &str, state: &str) -> bool {
    let selector = format!(".picture[data-user-id={name}][data-state={state}]");
    document().query_selector(&selector).unwrap().is_some()
}

async fn until(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_true() {
            return;
        }
        schedule::sleep(Duration::from_millis(1)).await;
    }
    panic!("not in two seconds: {what}");
}

#[wasm_bindgen_test]
async fn rows_come_and_go_within_a_change() {
    let (errors, _server) = (Errors::noted(), nobody_is_there());
    let signed = Rc::new(Signed::in_anew());
    let rows = Rc::new(RefCell::new(vec![signed.row("leaving")]));
    assert!(is_on_page("leaving", "loading"), "nothing is known in the first frame");

    let watched = signed.cache.open(user("watched"), SIZE);
    let world = SendWrapper::new((signed.clone(), rows.clone(), watched));
    // Not `Effect`, which would wait for the next microtask.
    let effect = ImmediateEffect::new(move || {
        let (signed, rows, watched) = &*world;
        if watched.view().status != Status::Loading {
            rows.borrow_mut().clear();
            let coming = signed.row("coming");
            rows.borrow_mut().push(coming);
        }
    });
    until("a row that came within a change", || is_on_page("coming", "fallback")).await;

    assert_eq!(document().query_selector_all("[data-user-id=leaving]").unwrap().length(), 0);
    assert_eq!(errors.messages(), "");
    drop(effect);
    rows.borrow_mut().clear();
}

#[wasm_bindgen_test]
async fn what_is_opened_in_one_turn_makes_one_transaction_and_one_request() {
    let (_server, _counter) = (nobody_is_there(), transactions_are_counted());
    let signed = Signed::in_anew();
    let open = |number| signed.cache.open(user(&format!("user-{number}")), SIZE);
    let pictures: Vec<_> = (0..50).map(open).collect();
    let is_settled = || pictures.iter().all(|picture| picture.view().status == Status::Settled);
    until("50 answers", is_settled).await;

    assert_eq!(number("window.reads"), 1.0);
    let batches = "window.urls.filter((url) => url.includes('/api/images/batch'))";
    assert_eq!(number(&format!("{batches}.length")), 1.0);
    assert_eq!(number(&format!("{batches}[0].split(',').length")), 50.0);
}

#[wasm_bindgen_test]
async fn a_denied_local_storage_is_an_error_and_no_miss() {
    let (_server, _denied) = (nobody_is_there(), Replaced::denied("window", "localStorage"));
    let signed = Signed::in_anew();
    signed.cache.reset_metrics();
    let pictures = ["one", "two"].map(|name| signed.cache.open(user(name), SIZE));
    let is_settled = || pictures.iter().all(|picture| picture.view().status == Status::Settled);
    until("both answers", is_settled).await;

    let metrics = signed.cache.metrics();
    let local = metrics.layers[Source::LocalStorage];
    assert_eq!((local.hits, local.misses), (0, 0));
    assert!(local.errors > 0);
    assert_eq!((local.entries, local.bytes), (None, None), "not empty: unknown");
    let steps = metrics.recent.iter().flat_map(|load| &load.path);
    let mut of_local = steps.filter(|step| step.layer == Source::LocalStorage);
    assert!(of_local.all(|step| step.answer == Answer::Denied));
}

/// Milliseconds that it takes to leave so many pictures at once; the least of three times.
fn leaving(signed: &Signed, count: u32) -> f64 {
    let least = |least: f64, round: u32| {
        let open = |number| signed.cache.open(user(&format!("row-{round}-{number}")), SIZE);
        let pictures: Vec<_> = (0..count).map(open).collect();
        let start = number("performance.now()");
        drop(pictures);
        least.min(number("performance.now()") - start)
    };
    (0..3).fold(f64::MAX, least)
}

#[wasm_bindgen_test]
fn to_leave_four_times_as_many_pictures_takes_no_square_of_the_time() {
    let _server = nobody_is_there();
    let signed = Signed::in_anew();
    let (few, many) = (leaving(&signed, 1_000), leaving(&signed, 4_000));
    // Sixteen times, if each looked through all the others. Below a millisecond a clock is too coarse.
    assert!(many < 9.0 * few.max(1.0), "{few} ms for 1 000, {many} ms for 4 000");
}
