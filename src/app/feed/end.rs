//! What stands under the posts, or in their place; and asks for more before it is reached.

use super::super::notice::{Notice, Trouble};
use crate::{
    browser::viewport::Viewport,
    store::{FeedList, ListState, react, use_page_shown},
};
use leptos::{either::EitherOf4, html, prelude::*};

/// How near the end may come before older posts are asked for.
const MARGIN: &str = "1500px 0px";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Loading,
    Empty,
    Posts,
    Failed,
}

#[component]
pub(super) fn FeedEnd(feed: FeedList) -> impl IntoView {
    let near = RwSignal::new(false);
    let end = NodeRef::<html::Div>::new();
    watch(end, near);
    let (view, list) = (feed.view(), feed.clone());
    let shown = use_page_shown();
    react(move || {
        if shown.get() {
            let count = view.read().posts.len();
            list.look_at(0..count + usize::from(near.get()));
        } else {
            list.look_away();
        }
    });
    let view = feed.view();
    let state = Memo::new(move |_| {
        let view = view.read();
        match (view.state, view.posts.is_empty() && view.new == 0) {
            (ListState::Failed(_), _) => End::Failed,
            (ListState::Loading, true) => End::Loading,
            (ListState::Ready, true) => End::Empty,
            (ListState::Loading | ListState::Ready, false) => End::Posts,
        }
    });
    let retry = Callback::new(move |()| feed.retry());
    view! {
        <div node_ref=end class="feed-end">
            {move || match state.get() {
                End::Loading => {
                    EitherOf4::A(view! { <p class="quiet" role="status">"Loading posts…"</p> })
                }
                End::Empty => EitherOf4::B(view! { <Notice text="Nobody has written anything yet." /> }),
                End::Posts => EitherOf4::C(()),
                End::Failed => EitherOf4::D(view! {
                    <Trouble text="Posts can’t be loaded: the server can’t be reached." retry />
                }),
            }}
        </div>
    }
}

fn watch(end: NodeRef<html::Div>, near: RwSignal<bool>) {
    let viewport = StoredValue::new_local(None::<Viewport>);
    end.on_load(move |end| {
        let seen = Viewport::new(MARGIN, move |_, is_near| {
            let _ = near.try_set(is_near);
        });
        if let Some(seen) = &seen {
            seen.observe(&end);
        }
        let _ = viewport.try_set_value(seen);
    });
}
