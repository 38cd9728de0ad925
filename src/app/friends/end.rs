//! What stands under the rows, or in their place.

use super::{
    super::notice::{Notice, Trouble},
    shown::Shown,
};
use crate::store::{FriendList, ListState};
use leptos::{either::EitherOf4, prelude::*};

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Rows are on their way, and there are none yet.
    Loading,
    /// There are no friends.
    Empty,
    /// There are rows, and nothing to say.
    Rows,
    /// What is looked at could not be had, not even a row.
    NothingLoads,
    /// There are rows, and no more could be had.
    NoMoreLoads,
    /// More are looked through for a name.
    Searching,
    /// Nobody has that name.
    NobodyFound,
}

impl End {
    /// What follows on `before`: that something failed is said until it has succeeded, and not
    /// taken back while it is tried again.
    fn next(before: Option<Self>, state: ListState, has_rows: bool, searches: bool) -> Self {
        let failed = match state {
            ListState::Failed(_) => true,
            ListState::Loading => matches!(before, Some(Self::NothingLoads | Self::NoMoreLoads)),
            ListState::Ready => false,
        };
        match (failed, has_rows, state) {
            (false, _, ListState::Loading) if searches => Self::Searching,
            (false, false, ListState::Ready) if searches => Self::NobodyFound,
            (true, false, _) if !searches => Self::NothingLoads,
            (true, ..) => Self::NoMoreLoads,
            (false, true, _) => Self::Rows,
            (false, false, ListState::Ready) => Self::Empty,
            (false, false, ListState::Loading | ListState::Failed(_)) => Self::Loading,
        }
    }
}

#[component]
pub(super) fn ListEnd(list: FriendList, shown: Memo<Shown>) -> impl IntoView {
    let state = list.clone();
    let end = Memo::new(move |before: Option<&End>| {
        let shown = shown.read();
        End::next(before.copied(), state.state(), shown.len() > 0, shown.is_search())
    });
    let retry = Callback::new(move |()| list.retry());
    move || match end.get() {
        End::Loading => {
            EitherOf4::A(view! { <p class="quiet" role="status">"Loading friends…"</p> })
        }
        End::Searching => EitherOf4::A(
            view! { <p class="quiet" role="status">"Looking through more friends…"</p> },
        ),
        End::Empty => EitherOf4::B(view! { <Notice text="No friends yet." /> }),
        End::NobodyFound => {
            EitherOf4::B(view! { <Notice text="No friend has a name like this." /> })
        }
        End::Rows => EitherOf4::C(()),
        End::NothingLoads => EitherOf4::D(view! {
            <Trouble text="Your friends can’t be loaded: the server can’t be reached." retry />
        }),
        End::NoMoreLoads => EitherOf4::D(view! {
            <Trouble text="More friends can’t be loaded: the server can’t be reached." retry />
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::layer::OriginError;

    #[test]
    fn trouble_is_said_until_it_is_over() {
        let failed = ListState::Failed(OriginError::Unreachable);
        let cases = [
            ("the first visit", None, ListState::Loading, false, End::Loading),
            ("a warm one", None, ListState::Loading, true, End::Rows),
            ("nobody", Some(End::Loading), ListState::Ready, false, End::Empty),
            ("the first page fails", Some(End::Loading), failed, false, End::NothingLoads),
            ("tried again", Some(End::NothingLoads), ListState::Loading, false, End::NothingLoads),
            ("it came", Some(End::NothingLoads), ListState::Ready, true, End::Rows),
            ("a later page fails", Some(End::Rows), failed, true, End::NoMoreLoads),
            ("tried again", Some(End::NoMoreLoads), ListState::Loading, true, End::NoMoreLoads),
            ("scrolled back up", Some(End::NoMoreLoads), ListState::Ready, true, End::Rows),
            ("the last friend is gone", Some(End::Rows), ListState::Ready, false, End::Empty),
        ];
        for (name, before, state, has_rows, expected) in cases {
            assert_eq!(End::next(before, state, has_rows, false), expected, "{name}");
        }
        let cases = [
            ("more comes", None, ListState::Loading, true, End::Searching),
            ("nobody so far", None, ListState::Loading, false, End::Searching),
            ("nobody", Some(End::Searching), ListState::Ready, false, End::NobodyFound),
            ("somebody", Some(End::Searching), ListState::Ready, true, End::Rows),
            ("it cannot go on", Some(End::Searching), failed, false, End::NoMoreLoads),
        ];
        for (name, before, state, has_rows, expected) in cases {
            assert_eq!(End::next(before, state, has_rows, true), expected, "{name}");
        }
    }
}
