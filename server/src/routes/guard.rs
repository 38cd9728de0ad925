//! Who may ask.

use std::time::Duration;

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Method, header, request::Parts},
};
use axum_extra::extract::cookie::Cookie;
use miniature_api::{ACCOUNT_HEADER, UserId};
use url::Url;

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
    /// Whether a request that would change something is of this account, if it names one: all tabs of
    /// a browser share a session, and another may have signed in as somebody else.
    fn is_meant_by(&self, parts: &Parts) -> bool {
        let named = parts.headers.get(ACCOUNT_HEADER);
        is_reading(&parts.method)
            || named.is_none_or(|named| named.as_bytes() == self.user.as_str().as_bytes())
    }

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
        let found = found.ok_or(ApiError::SignedOut)?;
        found.is_meant_by(parts).then_some(found).ok_or(ApiError::OtherAccount)
    }
}

/// The token in the cookie, if there is one. Other cookies of the same host may be any bytes.
pub(crate) fn token(headers: &HeaderMap, sign_in: &SignIn) -> Option<Token> {
    token_named(session_cookie(sign_in), headers)
}

fn token_named(name: &str, headers: &HeaderMap) -> Option<Token> {
    headers.get_all(header::COOKIE).iter().find_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes());
        let mut cookies = Cookie::split_parse(&*line).flatten();
        let session = cookies.find(|cookie| cookie.name() == name)?;
        Some(Token::new(session.value()))
    })
}

/// Refuses what another site's page sends on someone's behalf and would change something, unless it
/// is of an allowed origin.
///
/// # Errors
///
/// [`ApiError::CrossSite`] (403), with the two that differ; or that the page lacks HTTPS.
///
/// # Source
///
/// W3C Fetch Metadata: every current browser says in `Sec-Fetch-Site` whose page sends. For older
/// ones, and for plain HTTP, the `Origin` tells. A program that is no browser sends neither.
pub(crate) fn refuse_cross_site(
    request: &Request,
    origins: &Origins,
    sign_in: &SignIn,
) -> Result<(), ApiError> {
    let headers = request.headers();
    let allowed = || headers.get(header::ORIGIN).is_some_and(|origin| origins.allow(origin));
    if is_reading(request.method()) || allowed() {
        return Ok(());
    }
    from_here(headers, sign_in.secure()).map_err(ApiError::CrossSite)
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// How long a route may take until its answer begins; none for an upload, which has limits of its
/// own. How long a stream then goes on is no matter.
pub(crate) fn takes_at_most(route: &str) -> Option<Duration> {
    (route != upload::ROUTE).then(|| Limits::default().request_takes_at_most)
}

/// Err: what is wrong. `secure`: browsers reach this server by HTTPS alone.
fn from_here(headers: &HeaderMap, secure: bool) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (origin, host) = (text(header::ORIGIN.as_str()), text(header::HOST.as_str()));
    let (shown_origin, shown_host) = (origin.unwrap_or("none"), host.unwrap_or("none"));
    match (text("sec-fetch-site"), origin) {
        (Some("same-origin" | "none"), _) | (None, None) => Ok(()),
        (None, Some(origin)) if is_same_origin(origin, host, secure) => Ok(()),
        (None, Some(origin)) if is_same_origin(origin, host, false) => Err(
            "this page does not come over HTTPS, so that browsers keep no session of it: open it \
                 under an https address"
                .to_owned(),
        ),
        (Some(site), _) => Err(format!(
            "this request is {site}: its page is of the origin {shown_origin}, this host is {shown_host}"
        )),
        (None, Some(_)) => Err(format!(
            "this request comes from a page of the origin {shown_origin}, this host is {shown_host}"
        )),
    }
}

/// Two loopback addresses count as one: the development server forwards from its port to ours.
///
/// # Source
///
/// RFC 6454, section 5: scheme, host and port, which the scheme names where nothing else does. Whether
/// a proxy took the request by HTTPS is not known, unless it always is so.
fn is_same_origin(origin: &str, host: Option<&str>, secure: bool) -> bool {
    let Ok(origin) = origin.parse::<Url>() else { return false };
    let here = host.map(|host| format!("{}://{host}", origin.scheme()).parse::<Url>());
    let Some(Ok(here)) = here else { return false };
    if is_loopback(&origin) && is_loopback(&here) {
        return true;
    }
    matches!(origin.scheme(), "https" | "http")
        && (origin.scheme() == "https" || !secure)
        && origin.origin() == here.origin()
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

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
            assert_eq!(from_here(&headers, false).is_ok(), expected, "{name}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        let cases = [
            ("http://pictures.lan", "pictures.lan", true),
            ("http://pictures.lan", "pictures.lan:80", true),
            ("http://pictures.lan:80", "pictures.lan", true),
            ("https://pictures.lan", "pictures.lan:443", true),
            ("https://pictures.lan", "PICTURES.lan", true),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080", true),
            ("https://pictures.lan", "pictures.lan:80", false),
            ("http://pictures.lan:8080", "pictures.lan", false),
            ("http://pictures.lan", "pictures.lan.evil.example", false),
            ("http://pictures.lan@evil.example", "pictures.lan", false),
            ("file://pictures.lan", "pictures.lan", false),
            ("http://127.0.0.1:8080", "127.0.0.1:8787", true),
            ("http://localhost:8080", "127.0.0.1:8787", true),
        ];
        for (origin, host, expected) in cases {
            let same = is_same_origin(origin, Some(host), false);
            assert_eq!(same, expected, "{origin} and {host}");
        }
        assert!(!is_same_origin("http://pictures.lan", None, false), "no host");
        assert!(!is_same_origin("http://pictures.lan", Some("pictures.lan"), true), "not HTTPS");
        assert!(is_same_origin("https://pictures.lan", Some("pictures.lan"), true));
    }

    #[test]
    fn a_refusal_says_which_two_differ() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "pictures.lan:8080".parse().unwrap());
        headers.insert(header::ORIGIN, "http://pictures.lan".parse().unwrap());
        let refusal = from_here(&headers, false).unwrap_err();
        assert!(refusal.contains("http://pictures.lan,") && refusal.contains("pictures.lan:8080"));
        headers.insert(header::HOST, "pictures.lan".parse().unwrap());
        assert!(from_here(&headers, true).unwrap_err().contains("https address"), "the same host");
    }

    #[test]
    fn the_session_is_found_among_cookies_of_any_bytes() {
        let lines: [&[u8]; 5] = [
            "city=München; miniature_session=abc".as_bytes(),
            b"city=M\xfcnchen; miniature_session=abc",
            b"miniature_session=abc; city=M\xfcnchen",
            b"=; ;; x; miniature_session=abc",
            b"\xff\xfe=\xff; a=\"b\"; miniature_session=abc",
        ];
        for line in lines {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
            let token = token_named("miniature_session", &headers);
            let text = String::from_utf8_lossy(line);
            assert_eq!(token.as_ref().map(Token::as_str), Some("abc"), "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"city=M\xfcnchen").unwrap());
        headers.append(header::COOKIE, HeaderValue::from_static("miniature_session=abc"));
        assert!(token_named("miniature_session", &headers).is_some(), "on a line of its own");
        assert!(token_named("__Host-miniature_session", &headers).is_none());
    }
}
