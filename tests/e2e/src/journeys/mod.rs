//! The journeys, each a story with one point.

mod account;
mod ahead;
mod first_visit;
mod hands;
mod large;
mod modal;
mod outage;
mod returns;
mod scroll;
mod sessions;
mod start;
mod warm;

use crate::{page::hook, visit::Visit};
use anyhow::Result;
use miniature_e2e::sign_in::{own_page, sign_in_by_api, sign_in_without_the_app};
use std::pin::Pin;

type Walk = for<'v> fn(&'v mut Visit<'_>) -> Pin<Box<dyn Future<Output = Result<()>> + 'v>>;

/// A story and its name.
pub(crate) struct Journey {
    pub(crate) name: &'static str,
    pub(crate) walk: Walk,
}

/// Names a journey by what must be true at its end.
macro_rules! journey {
    ($name:literal, $walk:path) => {
        Journey { name: $name, walk: |visit| Box::pin($walk(visit)) }
    };
}

/// Every journey, in the order in which a failure explains the next.
pub(crate) const ALL: &[Journey] = &[
    journey!("first visit: 50 pictures in one request", first_visit::one_request),
    journey!("first visit: far from the server", first_visit::far_away),
    journey!("list left and re-entered: from memory", warm::re_entered),
    journey!("reload: no gap, no request", warm::reloaded),
    journey!("LocalStorage emptied: from IndexedDB", warm::local_storage_emptied),
    journey!("46 minutes later: shown at once, one request without bytes", warm::minutes_later),
    journey!("8 days later: shown at once, renewed without bytes", warm::days_later),
    journey!("IndexedDB denied: pictures still show", warm::indexed_db_denied),
    journey!("modal: sharp in its first frame after a hover", modal::sharp_at_once),
    journey!("modal: linkable, closed by Escape and Back", modal::linkable),
    journey!("modal by link: keyboard, button, nobody there, no such page", modal::by_link),
    journey!("a finger taps and scrolls", ahead::touch),
    journey!("saving data: only what is pointed at is loaded ahead", ahead::save_data),
    journey!("server stopped: list and modal still show", outage::server_stopped),
    journey!("server busy: Try again asks at once", outage::try_again),
    journey!("list held for ever: a button within 20 s", outage::list_held),
    journey!("503s for a while: list and pictures come by themselves", outage::busy_for_a_while),
    journey!("40 kbit/s: list and pictures arrive", outage::slow_line),
    journey!(
        "tab hidden for an hour: what is on screen is asked about",
        returns::hidden_for_an_hour
    ),
    journey!("window 8 000 px high: all friends by themselves", returns::high_window),
    journey!("sign-out: nothing of the account is left", account::signed_out),
    journey!("sign-out: the HTTP cache holds nothing that the app asked for", account::http_cache),
    journey!("sign-in as someone else: nothing of the first is left", account::someone_else),
    journey!("sign-in form: by keyboard alone", account::by_form),
    journey!("signed out elsewhere: the page asks to sign in", account::signed_out_elsewhere),
    journey!("another port signs in: its list is never kept under the first name", sessions::port),
    journey!("signed out without a network: nothing of the account comes back", sessions::offline),
    journey!("signed out without a network, and in again: stays in", sessions::in_again),
    journey!("late answers of the session before change nothing", sessions::late_answers),
    journey!("two tabs: out in one is out in both, and in again", sessions::two_tabs),
    journey!("a key that only begins like the account's signs nobody out", sessions::like_the_key),
    journey!("a gateway's 401 ends no session and erases nothing", sessions::gateway),
    journey!("no cookies: the sign-in says so", sessions::no_cookies),
    journey!("Back after signing out elsewhere: the sign-in page", sessions::page_cache),
    journey!("ten mixed gestures: page and address agree", hands::mixed),
    journey!(
        "double click opens, a selection that ends outside does not close",
        hands::double_click
    ),
    journey!("signing in leads where one was on the way to", hands::wanted),
    journey!("a refused sign-in says why, and is made once", hands::refused),
    journey!("a denser screen gets denser pictures", hands::denser),
    journey!("large type: rows grow, and the list reaches its end", hands::large_type),
    journey!("the dashboard gives the focus back", hands::dashboard),
    journey!("narrow: nothing lies beside the page, or under the header", hands::narrow),
    journey!("Back after a reload elsewhere: where the list was left", hands::back_after_reload),
    journey!("the app does not come: a sentence, a button, one reload", start::does_not_come),
    journey!("no WebAssembly: a sentence", start::no_web_assembly),
    journey!("all friends scrolled through: bounded", scroll::through_all),
    // It changes a picture for good: last.
    journey!("a large picture: its object URL is given back", large::object_url),
];

/// The profile over the list.
const MODAL: &str = "dialog[data-testid=profile-modal]";
/// A friend with a picture: the first row that shows one.
const ROW: &str = "[data-testid=friend]:has(.picture img)";
/// Friends on the first page, pictures or initials.
const FIRST_PAGE: u32 = 50;
/// How many friends the demo account has.
const FRIENDS: u32 = 100;

/// Signs in with the demo button and waits for the first page of friends.
async fn sign_in(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_visible(&hook("friend-list")).await?;
    visit.wait_pictures(FIRST_PAGE).await
}
