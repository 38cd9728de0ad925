//! `Miniature-Lineage` and `Miniature-Account`: which history of the database an answer belongs to and
//! to whom it was given, and what the client holds.
//!
//! The layer around every route names both on the answer, and has the routes ignore what a client
//! holds of another lineage. No route does either by itself.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
};
use miniature_api::{ACCOUNT_HEADER, EVENT_HEADER, LINEAGE_HEADER, Lineage, UserId};
use tokio::time::Instant;

use super::{
    guard::{Identified, SignedIn, token},
    is_under,
};
use crate::{ApiError, App, sign_in::Token};

/// Carries the lineage, in and out.
pub(super) const NAME: HeaderName = HeaderName::from_static(LINEAGE_HEADER);

/// Names the account on an answer.
pub(super) const ACCOUNT: HeaderName = HeaderName::from_static(ACCOUNT_HEADER);

/// Names the last event on an answer.
pub(super) const EVENT: HeaderName = HeaderName::from_static(EVENT_HEADER);

/// How often a client's later lineage is logged, however many have one.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The lineage of our database, as headers and ETags name it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct OurLineage(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lineage: Lineage,
    text: String,
    header: HeaderValue,
    logged_at: Mutex<Option<Instant>>,
}

impl OurLineage {
    pub(crate) fn new(lineage: Lineage) -> Self {
        let text = lineage.to_string();
        // Digits and a hyphen are a header value.
        let header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        Self(Arc::new(Shared { lineage, text, header, logged_at: Mutex::default() }))
    }

    /// The name of a state that a user is shown: no other lineage or user has one that is equal.
    pub(super) fn name_for(&self, user: &UserId, state: &str) -> String {
        format!("{}.{user}.{state}", self.0.text)
    }

    fn compare(&self, headers: &HeaderMap) -> Held {
        let mut lines = headers.get_all(NAME).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Held::Unsaid,
            (Some(line), None) if *line == self.0.header => Held::Ours,
            (Some(line), _) => {
                let lineage = line.to_str().ok().and_then(|text| text.parse::<Lineage>().ok());
                let later = lineage.filter(|lineage| *lineage > self.0.lineage);
                later.map_or(Held::Other, Held::Later)
            }
        }
    }

    fn log_later(&self, held: Lineage) {
        if self.is_to_be_logged(Instant::now()) {
            tracing::warn!(
                %held,
                ours = %self.0.lineage,
                "a browser has seen a later lineage than the database's; if a backup was restored, \
                 stop the server, run `miniature-server lineage renew`, and start it again"
            );
        }
    }

    fn is_to_be_logged(&self, now: Instant) -> bool {
        let mut logged_at = self.0.logged_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = logged_at.is_none_or(|at| now.duration_since(at) >= LOG_EVERY);
        if due {
            *logged_at = Some(now);
        }
        due
    }
}

/// The lineage of what a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Unsaid,
    Ours,
    /// An earlier one, or none that can be read.
    Other,
    Later(Lineage),
}

/// A request whose answer names our lineage and the account if it is given to a session: any under
/// `/api/` but signing in and out.
#[derive(Debug)]
pub(super) struct Asked {
    held: Held,
    token: Option<Token>,
    /// Whether a session asks; while that is not known, whether the request shows one.
    by_session: bool,
    /// Whose.
    account: Option<HeaderValue>,
    /// The last event that had happened before the route looked.
    event: Option<HeaderValue>,
}

impl Asked {
    /// None for a request whose answer never names them. From one that holds another lineage
    /// than ours, takes what it says of what it holds.
    pub(super) fn begin(request: &mut Request, app: &App) -> Option<Self> {
        let path = request.uri().path();
        let in_or_out = matches!(*request.method(), Method::POST | Method::DELETE);
        if !is_under(path, "/api") || (path == "/api/session" && in_or_out) {
            return None;
        }
        let held = app.lineage().compare(request.headers());
        if matches!(held, Held::Other | Held::Later(_)) {
            request.headers_mut().remove(header::IF_NONE_MATCH);
            request.extensions_mut().insert(OtherLineage);
        }
        let token = token(request.headers(), app.sign_in());
        let event = HeaderValue::from_str(&app.events().newest()).ok();
        Some(Self { held, by_session: token.is_some(), token, account: None, event })
    }

    /// Finds the session, for the route too.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(super) async fn identify(
        &mut self,
        request: &mut Request,
        app: &App,
    ) -> Result<(), ApiError> {
        let found = match self.token.take() {
            Some(token) => SignedIn::by(token, app).await?,
            None => None,
        };
        self.by_session = found.is_some();
        let account = found.as_ref().map(|found| HeaderValue::from_str(found.user.as_str()));
        self.account = account.and_then(Result::ok);
        request.extensions_mut().insert(Identified(found));
        Ok(())
    }

    /// Names our lineage, the account and the last event on the answer. A 304 names both in its ETag.
    pub(super) fn end(self, ours: &OurLineage, status: StatusCode, headers: &mut HeaderMap) {
        if !self.by_session {
            return;
        }
        if let Held::Later(held) = self.held {
            ours.log_later(held);
        }
        if ![StatusCode::UNAUTHORIZED, StatusCode::NOT_MODIFIED].contains(&status) {
            headers.insert(NAME, ours.0.header.clone());
            self.account.and_then(|account| headers.insert(ACCOUNT, account));
            self.event.and_then(|event| headers.insert(EVENT, event));
        }
    }
}

/// On a request that holds another lineage than ours.
#[derive(Clone, Copy)]
struct OtherLineage;

/// Whether revisions and event ids that the client holds may be of our lineage: it names ours, or
/// none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldsOurs(pub(crate) bool);

impl<S: Sync> FromRequestParts<S> for HoldsOurs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<OtherLineage>().is_none()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "1767225600000-0123456789abcdef";
    const LATER: &str = "1767225600001-0000000000000000";

    fn ours() -> OurLineage {
        OurLineage::new(OURS.parse().unwrap())
    }

    #[test]
    fn a_held_lineage_is_compared_with_ours() {
        let cases: [(&str, &[&[u8]], Held); 8] = [
            ("none", &[], Held::Unsaid),
            ("ours", &[OURS.as_bytes()], Held::Ours),
            ("a later one", &[LATER.as_bytes()], Held::Later(LATER.parse().unwrap())),
            ("an earlier one", &[b"1767225599999-ffffffffffffffff"], Held::Other),
            ("empty", &[b""], Held::Other),
            ("in capitals", &[b"1767225600000-0123456789ABCDEF"], Held::Other),
            ("not ASCII", &[b"\xff"], Held::Other),
            ("ours, twice", &[OURS.as_bytes(), OURS.as_bytes()], Held::Other),
        ];
        for (name, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(NAME, HeaderValue::from_bytes(line).unwrap());
            }
            assert_eq!(ours().compare(&headers), expected, "{name}");
        }
    }

    #[test]
    fn a_later_lineage_is_logged_once_a_minute() {
        let (ours, start) = (ours(), Instant::now());
        let cases = [(0, true), (1, false), (59, false), (60, true), (61, false), (120, true)];
        for (second, expected) in cases {
            let now = start + Duration::from_secs(second);
            assert_eq!(ours.is_to_be_logged(now), expected, "second {second}");
        }
    }
}
