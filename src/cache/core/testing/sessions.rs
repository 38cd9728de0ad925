//! Sessions: those that the server knows, and what the browser holds of its own.

use miniature_api::{Account, Marker, Record, Revision, UserId};

use super::{Fault, Outside, Server};
use crate::cache::core::{Identity, Note};

/// Names a session, as the cookie does that pages cannot read.
pub(in crate::cache::core) type Token = usize;

/// The sessions of the server, by token; none that have ended.
#[derive(Debug, Default)]
pub(in crate::cache::core) struct Sessions(Vec<Option<(UserId, Marker)>>);

impl Sessions {
    fn begin(&mut self, user: &UserId) -> (Token, Marker) {
        let token = self.0.len();
        let marker = Marker::new(user, u32::try_from(token).unwrap());
        self.0.push(Some((user.clone(), marker.clone())));
        (token, marker)
    }

    fn find(&self, token: Option<Token>) -> Option<&(UserId, Marker)> {
        self.0.get(token?)?.as_ref()
    }

    pub(in crate::cache::core) fn user_of(&self, token: Option<Token>) -> Option<&UserId> {
        self.find(token).map(|(user, _)| user)
    }

    /// Ends a session, if it has this marker, or whichever it has if that is empty.
    pub(super) fn end(&mut self, token: Option<Token>, marker: &Marker) {
        let is_meant = |(_, own): &(UserId, Marker)| marker.as_str().is_empty() || own == marker;
        if let Some(session) = token.and_then(|token| self.0.get_mut(token)) {
            session.take_if(|session| is_meant(session));
        }
    }

    /// Ends all: by an operator, or from another browser.
    pub(in crate::cache::core) fn end_all(&mut self) {
        self.0.iter_mut().for_each(|session| *session = None);
    }
}

/// What the browser holds of its session, for all documents.
#[derive(Debug, Default)]
pub(in crate::cache::core) struct Jar {
    pub(in crate::cache::core) cookie: Option<Token>,
    pub(in crate::cache::core) identity: Identity,
}

pub(in crate::cache::core) fn account_of(user: &UserId) -> Account {
    let (user_id, name) = (user.clone(), user.to_string());
    let (revision, image_id, thumbhash) = (Revision(0), None, None);
    let picture = Record { user_id: user_id.clone(), revision, image_id, thumbhash };
    Account { user_id, name, picture }
}

impl Outside {
    /// The server signs someone in, and ends the session of the cookie that it was asked with.
    pub(in crate::cache::core) fn sign_in(
        &mut self,
        user: &UserId,
        cookie: Option<Token>,
    ) -> Marker {
        let Server { sessions, .. } = &mut self.server;
        sessions.end(cookie, &Marker::from(String::new()));
        let (token, marker) = sessions.begin(user);
        (self.jar.cookie, self.jar.identity.marker) = (Some(token), Some(marker.clone()));
        marker
    }

    /// A document keeps who is signed in.
    pub(super) fn note(&mut self, note: Note) {
        let held = &mut self.jar.identity;
        if note.owed.is_some() && held.marker == note.owed {
            held.marker = None;
        }
        if self.local.fault != Fault::Denied {
            (held.account, held.owed) = (note.account, note.owed);
        }
    }
}
