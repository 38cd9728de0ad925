//! Who may see what: nobody's page before it is known who is there.

use super::{address::use_address, place::Place};
use crate::store::{Epoch, Farewell, Session, SessionState, react};
use leptos::prelude::*;
use miniature_api::UserId;

/// What stands at the entrance. Changes with the epoch, not with the account's name or picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It is not known yet who is there.
    Asking,
    /// It is not known who is there, and nobody can be asked.
    Unreachable,
    /// Nobody; perhaps not any more.
    SignedOut(Option<Farewell>),
    /// This account, in this epoch.
    SignedIn(UserId, Epoch),
}

impl Gate {
    fn of(state: SessionState, epoch: Epoch) -> Self {
        match state {
            SessionState::Unknown => Self::Asking,
            SessionState::Unreachable => Self::Unreachable,
            SessionState::SignedOut(farewell) => Self::SignedOut(farewell),
            SessionState::SignedIn(account) => Self::SignedIn(account, epoch),
        }
    }

    /// Where one is sent who asks for `place`, if not there. After signing in that is where one was
    /// on the way to.
    fn detour(&self, place: &Place, wanted: Option<&str>) -> Option<String> {
        match (self, place) {
            (Self::Asking | Self::Unreachable, _) | (Self::SignedOut(_), Place::SignIn) => None,
            (Self::SignedOut(_), _) => Some("/sign-in".to_owned()),
            (Self::SignedIn(..), Place::Home | Place::SignIn) => {
                let page = wanted.filter(|path| Place::at(path).is_page());
                Some(page.unwrap_or("/friends").to_owned())
            }
            (Self::SignedIn(..), Place::Friends(_) | Place::Feed | Place::Me | Place::Nowhere) => {
                None
            }
        }
    }
}

/// Follows the session.
pub(super) fn use_gate(session: Session) -> Memo<Gate> {
    Memo::new(move |_| {
        let view = session.view();
        Gate::of(view.state, view.epoch)
    })
}

/// Corrects the address bar where it names a page that is not for who is there.
pub(super) fn redirect(gate: Memo<Gate>, place: Memo<Place>) {
    let address = use_address();
    let mut was_inside = false;
    react(move || {
        let (gate, place) = (gate.get(), place.get());
        let is_out = matches!(gate, Gate::SignedOut(_));
        // Signed out by hand, one has left; otherwise one comes back to where one was.
        let has_left = was_inside && gate == Gate::SignedOut(None);
        was_inside = matches!(gate, Gate::SignedIn(..));
        if let Some(path) = gate.detour(&place, address.wanted().as_deref()) {
            let wanted = address.path();
            let wanted = Some(wanted.as_str()).filter(|_| is_out && place.is_page() && !has_left);
            address.detour(&path, wanted);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_sent_where_they_belong() {
        let ada: UserId = "ada".parse().unwrap();
        let inside = Gate::SignedIn(ada.clone(), Epoch::default());
        let outside = Gate::SignedOut(None);
        let profile = Place::Friends(Some(ada));
        let cases = [
            ("nobody is hurried", &Gate::Asking, &profile, None, None),
            ("a stranger at a page", &outside, &Place::Me, None, Some("/sign-in")),
            ("a stranger nowhere", &outside, &Place::Nowhere, None, Some("/sign-in")),
            ("a stranger at the door", &outside, &Place::SignIn, Some("/me"), None),
            ("a member at the door", &inside, &Place::SignIn, None, Some("/friends")),
            ("on the way to a page", &inside, &Place::SignIn, Some("/me"), Some("/me")),
            ("on the way to no page", &inside, &Place::SignIn, Some("/x"), Some("/friends")),
            ("on the way to the door", &inside, &Place::SignIn, Some("/sign-in"), Some("/friends")),
            ("a member at home", &inside, &Place::Home, None, Some("/friends")),
            ("a member at a profile", &inside, &profile, Some("/me"), None),
            ("a member nowhere", &inside, &Place::Nowhere, None, None),
        ];
        for (name, gate, place, wanted, expected) in cases {
            assert_eq!(gate.detour(place, wanted).as_deref(), expected, "{name}");
        }
    }
}
