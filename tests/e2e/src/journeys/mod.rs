//! The journeys, each a story with one point.

mod access;
mod account;
mod advice;
mod ahead;
mod bypass;
mod drawn;
mod feed;
mod first_visit;
mod flood;
mod hands;
mod kept;
mod lab;
mod large;
mod live;
mod modal;
mod outage;
mod own;
mod presigned;
mod record;
mod returns;
mod room;
mod scroll;
mod sessions;
mod start;
mod sync;
mod warm;
mod worker;
mod worker_pictures;

use crate::{page::hook, visit::Visit};
use anyhow::Result;
use miniature_e2e::sign_in::{own_page, sign_in_by_api, sign_in_without_the_app};
use std::pin::Pin;

type Walk = for<'v> fn(&'v mut Visit<'_>) -> Pin<Box<dyn Future<Output = Result<()>> + 'v>>;

/// A story and its name.
pub(crate) struct Journey {
    pub(crate) name: &'static str,
    pub(crate) walk: Walk,
    pub(crate) company: Company,
}

/// What may run beside a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nothing: it takes the time, or counts frames.
    None,
    /// One that waits.
    Patient,
    /// Any: it waits more than it works.
    Any,
}

/// Names a journey by what must be true at its end.
macro_rules! journey {
    ($name:literal, $walk:path) => {
        journey!($name, $walk, Company::Patient)
    };
    ($name:literal, $walk:path, $company:expr) => {
        Journey { name: $name, walk: |visit| Box::pin($walk(visit)), company: $company }
    };
}

/// The same for one that waits more than it works.
macro_rules! patient {
    ($name:literal, $walk:path) => {
        journey!($name, $walk, Company::Any)
    };
}

/// The same for one that takes the time, or counts frames.
macro_rules! timed {
    ($name:literal, $walk:path) => {
        journey!($name, $walk, Company::None)
    };
}

/// Every journey, in the order in which a failure explains the next.
pub(crate) const ALL: &[Journey] = &[
    timed!("first visit: 50 pictures in one request", first_visit::one_request),
    timed!("first visit: far from the server", first_visit::far_away),
    journey!("drawn before the program starts: as the app draws it", drawn::same_as_the_app),
    journey!("drawn before the program starts: sharp on any screen", drawn::on_dense_screens),
    journey!("drawn before the program starts: what is done goes over", drawn::hands_over),
    journey!("drawn before the program starts: out is out", drawn::signs_out),
    journey!("drawn before the program starts: not from storage that lies", drawn::storage_lies),
    timed!("list left and re-entered: nothing asked", warm::re_entered),
    timed!("list and feed left and re-entered: as they were", kept::as_it_was),
    journey!("a picture changes while its page is hidden", kept::changed_meanwhile),
    journey!("a hidden page is given up with its account, and after a while", kept::given_up),
    timed!("reload: no gap, no request", warm::reloaded),
    timed!("LocalStorage emptied: from IndexedDB", warm::local_storage_emptied),
    timed!("46 minutes later: shown at once, one request without bytes", warm::minutes_later),
    timed!("8 days later: shown at once, renewed without bytes", warm::days_later),
    timed!("IndexedDB denied: pictures still show", warm::indexed_db_denied),
    timed!("modal: sharp in its first frame after a hover", modal::sharp_at_once),
    journey!("modal: linkable, closed by Escape and Back", modal::linkable),
    journey!("modal by link: keyboard, button, nobody there, no such page", modal::by_link),
    journey!("a finger taps and scrolls", ahead::touch),
    patient!("saving data: only what is pointed at is loaded ahead", ahead::save_data),
    patient!("nobody moves: the next page and the feed are loaded ahead", ahead::next_pages),
    patient!("server stopped: list and modal still show", outage::server_stopped),
    patient!("server busy: Try again asks at once", outage::try_again),
    patient!("list held for ever: a button within 20 s", outage::list_held),
    patient!("503s for a while: list and pictures come by themselves", outage::busy_for_a_while),
    patient!("40 kbit/s: list and pictures arrive", outage::slow_line),
    journey!(
        "tab hidden for an hour: what is on screen is asked about",
        returns::hidden_for_an_hour
    ),
    journey!(
        "back on a list that got shorter: scrolled by the person alone",
        returns::shorter_list
    ),
    journey!("window 8 000 px high: all friends by themselves", returns::high_window),
    patient!("sign-out: nothing of the account is left", account::signed_out),
    patient!("sign-out: the HTTP cache holds nothing that the app asked for", account::http_cache),
    patient!("sign-in as someone else: nothing of the first is left", account::someone_else),
    patient!("sign-in form: by keyboard alone", account::by_form),
    patient!("signed out elsewhere: the page asks to sign in", account::signed_out_elsewhere),
    patient!("another port signs in: its list is never kept under the first name", sessions::port),
    patient!("signed out without a network: nothing of the account comes back", sessions::offline),
    patient!("signed out without a network, and in again: stays in", sessions::in_again),
    patient!("late answers of the session before change nothing", sessions::late_answers),
    patient!("two tabs: out in one is out in both, and in again", sessions::two_tabs),
    patient!("a key that only begins like the account's signs nobody out", sessions::like_the_key),
    patient!("a gateway's 401 ends no session and erases nothing", sessions::gateway),
    patient!("no cookies: the sign-in says so", sessions::no_cookies),
    patient!("Back after signing out elsewhere: the sign-in page", sessions::page_cache),
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
    journey!("the console says what passed, and why", lab::console),
    patient!("the dashboard comes when it is opened, and shows the metrics", lab::panel),
    journey!("the dashboard's buttons do what they say", lab::controls),
    journey!("the dashboard in a window of its own", lab::detach),
    journey!("the dashboard switches the cache off, and compares", bypass::on_and_off),
    journey!("the dashboard has layers in trouble until a reload", lab::simulate),
    journey!("what a page recorded replays to the same counts", record::replays),
    patient!("what is advised gains what is stated", advice::gains),
    patient!("a disk that is nearly full: what is not on screen goes", room::shed),
    journey!(
        "here again half a day later: the browser is asked once to keep the storage",
        room::persist
    ),
    journey!("narrow: nothing lies beside the page, or under the header", hands::narrow),
    journey!("Back after a reload elsewhere: where the list was left", hands::back_after_reload),
    journey!("every page: axe finds nothing serious", access::every_page),
    patient!("offline: a reload shows list, pictures, profile and feed", worker::offline),
    patient!("a new version waits, and begins when it is asked to", worker::new_version),
    patient!("a version that cannot be installed changes nothing", worker::broken_version),
    patient!("the worker is switched off, hangs, or loses its cache", worker::ill),
    patient!(
        "the worker keeps pictures, within limits, and serves them offline",
        worker_pictures::kept
    ),
    patient!("six days later: records and pictures are renewed, once a day", sync::renewed),
    patient!("back online, or woken: what ends soon is renewed", sync::back_online),
    patient!("sign-out with a picture on its way: no cache keeps any", worker_pictures::signed_out),
    patient!("the app does not come: a sentence, a button, one reload", start::does_not_come),
    patient!("the later half does not come: a sentence, a button", start::later_does_not_come),
    journey!("no WebAssembly: a sentence", start::no_web_assembly),
    timed!("a friend's new picture is in every tab and browser within a second", live::two_tabs),
    timed!("two instances of the server: a change is seen at both", live::two_instances),
    journey!("eight tabs: one stream, also after its tab is closed", live::eight_tabs),
    journey!("a line that was cut is opened again, and nothing was missed", live::line_cut),
    timed!("a thousand events a second: the page stays usable", flood::thousand_a_second),
    patient!("a line that is dead is noticed and opened again", live::half_open),
    patient!("a replay that is too old: every tab looks for itself", live::too_old),
    journey!("the tab that reads crashes: another reads on, and nothing was missed", live::crashed),
    patient!("the tab that reads is frozen: another takes over", live::frozen),
    journey!("Back, with a change in between: it is there", live::back),
    patient!("the server is started again: three tabs are live by themselves", live::restarted),
    journey!("presigned: large pictures come from the store", presigned::from_the_store),
    journey!("presigned: a refused hint costs a batch, not a picture", presigned::refused),
    journey!("sign-out closes the stream", live::signed_out),
    journey!("my picture: at once, in every layer, and at a friend's", own::changed),
    timed!("my picture: 8 MB at 1 Mbit/s in under two seconds", own::photograph),
    patient!("my picture: what is no picture is refused in words", own::no_pictures),
    patient!("my picture: each refusal in words, and the old one stays", own::refused),
    patient!("my picture: an upload that hangs is cancelled", own::cancelled),
    patient!("my picture: removed, brought back, removed", own::removed),
    patient!("my name: edited here, changed at a friend's", own::described),
    journey!("the feed: its pictures in one request, again at once", feed::read),
    journey!("the feed: a friend's posts wait, and nothing moves", feed::announced),
    journey!("the feed: a post is there at once, and once", feed::written),
    journey!("the feed: older posts come as one scrolls", feed::scrolled),
    timed!("all friends scrolled through: bounded", scroll::through_all),
    timed!("ten thousand friends: the last thousand costs what the first does", scroll::crowd),
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

/// Leaves the app for another page as a link does.
async fn go_elsewhere(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_page(own_page("<p>elsewhere</p>"));
    visit.eval::<bool>("setTimeout(() => location.assign('/__page')); return true").await?;
    visit.wait("another page", "return location.pathname === '/__page'").await
}

/// Signs in with the demo button and waits for the first page of friends.
async fn sign_in(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_visible(&hook("friend-list")).await?;
    visit.wait_pictures(FIRST_PAGE).await
}
