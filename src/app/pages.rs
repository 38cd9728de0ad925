//! The pages of who is signed in. One is in the document; those that were left lately wait beside it.
//!
//! ```text
//! not made ─▶ shown ◀─▶ hidden, for `Policy::page_kept_for` at most
//!    ▲                    │
//!    └────────────────────┘
//! ```
//!
//! A hidden page is out of the document with all its elements: no key, no reader of the screen and no
//! query finds it there. It is shown again as it was left, within one task: no row is made anew. Its
//! pictures stay in memory meanwhile, and nothing is asked for it ([`PageScope`]).

use super::{
    place::Page,
    position::{Position, use_position},
};
use crate::{
    browser::schedule::Timer,
    store::{PageScope, page_kept_for, provide_page_scope, react},
};
use leptos::{html, prelude::*, tachys::view::Mountable};
use miniature_api::UserId;
use web_sys::{FocusOptions, HtmlElement, Node};

/// Makes a page of an account. What it returns is never changed for another view, so the program holds
/// only how each is made.
type Draw = fn(Page, &UserId) -> Box<dyn Mountable>;

/// Shows the page that the address bar names.
#[component]
pub(super) fn Pages(
    /// Which one.
    page: Memo<Page>,
    /// Whose pages.
    account: UserId,
    /// Makes a page.
    draw: Draw,
) -> impl IntoView {
    let main = NodeRef::<html::Main>::new();
    let (owner, position) = (Owner::new(), use_position());
    let pages = Pages { owner, account, draw, position, shown: None, hidden: Vec::new() };
    let pages = StoredValue::new_local(pages);
    react(move || {
        if let Some(main) = main.get() {
            let page = page.get();
            pages.update_value(|all| all.show(page, &main, pages));
        }
    });
    view! { <main class="page" tabindex="-1" node_ref=main></main> }
}

/// The pages that were made and not given up.
struct Pages {
    /// A page lives as long as the account is signed in, not as long as it is shown.
    owner: Owner,
    account: UserId,
    draw: Draw,
    position: Position,
    shown: Option<Drawn>,
    hidden: Vec<Drawn>,
}

impl Pages {
    fn show(&mut self, page: Page, main: &HtmlElement, pages: StoredValue<Self, LocalStorage>) {
        let before = self.shown.take();
        if before.as_ref().is_some_and(|drawn| drawn.page == page) {
            return self.shown = before;
        }
        let is_first = before.is_none();
        let kept = before.filter(|drawn| drawn.page.is_kept());
        if let Some(mut drawn) = kept.and_then(|drawn| drawn.hide(main)) {
            let page = drawn.page;
            drawn.ends = Timer::set(page_kept_for(), move || {
                pages.try_update_value(|all| all.hidden.retain(|drawn| drawn.page != page));
            });
            self.hidden.push(drawn);
        }
        self.shown = Some(match self.hidden.iter().position(|drawn| drawn.page == page) {
            Some(at) => {
                let drawn = self.hidden.swap_remove(at).show_again(main);
                self.position.return_to(page);
                drawn
            }
            None => self.owner.with(|| Drawn::new(page, main, || (self.draw)(page, &self.account))),
        });
        if !is_first {
            focus(main);
        }
    }
}

/// A page that was made.
struct Drawn {
    page: Page,
    scope: PageScope,
    /// What its elements are in while they are not in the document.
    shelf: Option<Node>,
    /// When it is given up.
    ends: Option<Timer>,
    state: Box<dyn Mountable>,
    /// After the state, which its signals outlive.
    _owner: Owner,
}

impl Drawn {
    fn new(page: Page, main: &HtmlElement, draw: impl FnOnce() -> Box<dyn Mountable>) -> Self {
        let owner = Owner::new();
        let (scope, mut state) = owner.with(|| (provide_page_scope(), untrack(draw)));
        state.mount(main, None);
        Self { page, scope, shelf: None, ends: None, state, _owner: owner }
    }

    /// Takes the page out of the document. None if there is nowhere to put it.
    fn hide(mut self, main: &HtmlElement) -> Option<Self> {
        let shelf = main.clone_node().ok()?;
        move_all(main, &shelf);
        self.shelf = Some(shelf);
        self.scope.set_shown(false);
        Some(self)
    }

    /// Puts it back.
    fn show_again(mut self, main: &HtmlElement) -> Self {
        self.ends = None;
        if let Some(shelf) = self.shelf.take() {
            move_all(&shelf, main);
        }
        self.scope.set_shown(true);
        self
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.state.unmount();
    }
}

/// Moves all that is in an element into another one.
fn move_all(from: &Node, to: &Node) {
    while let Some(node) = from.first_child() {
        if to.append_child(&node).is_err() {
            return;
        }
    }
}

/// A page that replaced another one is where a reader of the screen goes on.
fn focus(main: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    // An element that cannot take the focus leaves it where it was.
    let _ = main.focus_with_options(&options);
}
