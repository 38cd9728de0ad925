//! Who may ask.

use std::time::Duration;

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Method, Uri, header, request::Parts},
};
use axum_extra::extract::cookie::Cookie;
use miniature_api::UserId;

use super::{cors::Origins, upload};
use crate::{
    ApiError, App,
    limits::Limits,
    sign_in::{SignIn, Token},
};

/// The cookie that carries the token. Over HTTPS its name has a browser take it from nobody but this
/// very host: a sibling's page cannot sign anyone in as someone else.
///
/// # Source
///
/// RFC 6265bis, section 4.1.3.2: `__Host-` needs `Secure`, `Path=/` and no `Domain`.
pub(crate) fn session_cookie(sign_in: &SignIn) -> &'static str {
    if sign_in.secure() { "__Host-miniature_session" } else { "miniature_session" }
}

/// The user who asks. A route that takes this answers 401 to everybody else.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) user: UserId,
    /// What proved it.
    pub(crate) token: Token,
}

/// Whose session a request shows, if that was found before its route was asked.
#[derive(Clone, Debug)]
pub(super) struct Identified(pub(super) Option<SignedIn>);

impl SignedIn {
    /// Whose token this is; nobody's if its session has ended.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(super) async fn by(token: Token, app: &App) -> Result<Option<Self>, ApiError> {
        let user = app.sign_in().user_of(&token).await?;
        Ok(user.map(|user| Self { user, token }))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let found = match parts.extensions.remove::<Identified>() {
            Some(Identified(found)) => found,
            None => match token(&parts.headers, app.sign_in()) {
                Some(token) => Self::by(token, app).await?,
                None => None,
            },
        };
        found.ok_or(ApiError::SignedOut)
    }
}

/// The token in the cookie, if there is one.
pub(crate) fn token(headers: &HeaderMap, sign_in: &SignIn) -> Option<Token> {
    let name = session_cookie(sign_in);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    let session = cookies.find(|cookie| cookie.name() == name)?;
    Some(Token::new(session.value()))
}

/// Refuses what another site's page sends on someone's behalf and would change something, unless it
/// is of an allowed origin.
///
/// # Errors
///
/// [`ApiError::CrossSite`] (403).
///
/// # Source
///
/// W3C Fetch Metadata: every current browser says in `Sec-Fetch-Site` whose page sends. For older
/// ones, and for plain HTTP, the `Origin` tells. A program that is no browser sends neither.
pub(crate) fn refuse_cross_site(request: &Request, origins: &Origins) -> Result<(), ApiError> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let allowed = || headers.get(header::ORIGIN).is_some_and(|origin| origins.allow(origin));
    if reads || allowed() || is_from_here(headers) { Ok(()) } else { Err(ApiError::CrossSite) }
}

/// How long a route may take until its answer begins; none for an upload, which has limits of its
/// own. How long a stream then goes on is no matter.
pub(crate) fn takes_at_most(route: &str) -> Option<Duration> {
    (route != upload::ROUTE).then(|| Limits::default().request_takes_at_most)
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_same_host(origin, text(header::HOST.as_str())),
        (None, None) => true,
    }
}

/// Two loopback addresses count as one: the development server forwards from its port to ours.
fn is_same_host(origin: &str, host: Option<&str>) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let (Some(origin), Some(host)) = (origin.authority(), host) else { return false };
    origin.as_str() == host || (is_loopback(origin.as_str()) && is_loopback(host))
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_programs_change_anything() {
        let cases = [
            ("a program", None, None, true),
            ("our page", Some("same-origin"), Some("http://miniature.example"), true),
            ("typed in", Some("none"), None, true),
            ("another site", Some("cross-site"), Some("http://evil.example"), false),
            ("a sibling", Some("same-site"), Some("http://evil.miniature.example"), false),
            ("our page, old browser", None, Some("http://miniature.example"), true),
            ("another site, old browser", None, Some("http://evil.example"), false),
            ("a sandbox, old browser", None, Some("null"), false),
            ("a page on loopback, old browser", None, Some("http://127.0.0.1:8080"), false),
        ];
        for (name, site, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "miniature.example".parse().unwrap());
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_from_here(&headers), expected, "{name}");
        }
    }

    #[test]
    fn the_development_server_may_forward() {
        assert!(is_same_host("http://127.0.0.1:8080", Some("127.0.0.1:8787")));
        assert!(is_same_host("http://localhost:8080", Some("127.0.0.1:8787")));
    }
}
