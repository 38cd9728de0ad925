use std::{num::NonZeroU32, sync::atomic::Ordering, time::Duration};

use axum::http::{Method, Request, StatusCode, header};
use miniature_api::{Account, Problem};
use miniature_server::config::Config;
use tokio::time::Instant;

use crate::fixture::{Answer, Browser, Fixture, config, picture_of};

/// A server behind a proxy that takes so many tries a minute from an address, and half as many for a
/// name from there.
async fn behind_a_proxy(an_address: u32) -> Fixture {
    let limit = |times| NonZeroU32::new(times).unwrap();
    let (an_address, a_name) = (limit(an_address), limit(an_address / 2));
    Fixture::with(Config {
        sign_ins_per_address: an_address,
        sign_ins_per_name: a_name,
        trusted_proxies: 1,
        ..config()
    })
    .await
}

async fn sign_in_from(t: &Fixture, address: &str, name: &str, cookie: &str) -> Answer {
    let body = format!(r#"{{"username":"{name}","password":"secret"}}"#);
    let request = Request::post("/api/session")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-forwarded-for", format!("192.0.2.66, {address}"))
        .header(header::COOKIE, cookie);
    t.send(request.body(body.into()).unwrap()).await
}

/// How many of these addresses may try once for this name.
async fn let_in(t: &Fixture, addresses: impl IntoIterator<Item = String>, name: &str) -> usize {
    let mut tried = 0;
    for address in addresses {
        let answer = sign_in_from(t, &address, name, "").await;
        tried += usize::from(answer.status != StatusCode::TOO_MANY_REQUESTS);
    }
    tried
}

#[tokio::test]
async fn tries_are_counted_by_the_address_that_the_proxy_saw() {
    let t = behind_a_proxy(4).await;
    let names = |n| format!("nobody-{n}");
    for n in 0..4 {
        let answer = sign_in_from(&t, "198.51.100.7", &names(n), "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let refused = sign_in_from(&t, "198.51.100.7", "ada", "").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sign_in_from(&t, "198.51.100.8", "ada", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn all_addresses_of_one_network_are_one() {
    let t = behind_a_proxy(4).await;
    let one_home = (1..=20).map(|n| format!("2001:db8:1:1::{n:x}"));
    let mut tried = 0;
    for (n, address) in one_home.enumerate() {
        tried += let_in(&t, [address], &format!("nobody-{n}")).await;
    }
    assert_eq!(tried, 4, "64 bits are a home's own");
    assert_eq!(let_in(&t, ["2001:db8:1:2::1".to_owned()], "somebody").await, 1, "another home");

    let written_twice = ["198.51.100.9", "::ffff:198.51.100.9"];
    let written_twice = written_twice.into_iter().cycle().take(8).map(str::to_owned);
    assert_eq!(let_in(&t, written_twice, "grace").await, 2, "one address, written in two ways");
}

#[tokio::test]
async fn nobody_is_locked_out_by_strangers_where_they_signed_in_before() {
    let t = behind_a_proxy(6).await;
    let at_home = sign_in_from(&t, "198.51.100.7", "ada", "").await;
    let mut strangers = (0..255).map(|n| format!("203.0.113.{n}"));
    while let_in(&t, [strangers.next().unwrap()], "ada").await == 1 {}

    assert_eq!(sign_in_from(&t, "198.51.100.7", "ada", "").await.status, StatusCode::OK);
    let elsewhere = sign_in_from(&t, "198.51.100.8", "ada", &at_home.cookie()).await;
    assert_eq!(elsewhere.status, StatusCode::OK, "her session says who she is");
    let bea = sign_in_from(&t, "198.51.100.9", "bea", "").await.cookie();
    while let_in(&t, [strangers.next().unwrap()], "ada").await == 1 {}
    let elsewhere = sign_in_from(&t, "198.51.100.9", "ada", &bea).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS, "another's session does not");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tries_than_can_be_checked_soon_are_turned_away() {
    let t = Fixture::new().await;
    let tries = (0..200).map(|n| t.sign_in("ada", if n == 0 { "secret" } else { "wrong" }));
    let answers = futures_util::future::join_all(tries).await;
    let busy = answers.iter().filter(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE);
    let busy = busy.inspect(|answer| assert_eq!(answer.header("retry-after"), "1")).count();
    assert!(busy > 0, "nobody was turned away");
    assert_eq!(t.sign_in("ada", "secret").await.status, StatusCode::OK, "a moment later");
}

#[tokio::test]
async fn over_https_no_sibling_of_the_site_can_set_the_sessions_cookie() {
    let t = Fixture::with(Config { secure_cookies: Some(true), ..config() }).await;
    let answer = t.sign_in("ada", "secret").await;
    let set = answer.header("set-cookie").to_owned();
    // Browsers take such a name only with `Secure`, `Path=/` and no `Domain`: RFC 6265bis, 4.1.3.2.
    assert!(set.starts_with("__Host-miniature_session="), "{set}");
    assert!(set.contains("Secure") && set.contains("Path=/;") && !set.contains("Domain"), "{set}");
    let cookie = answer.cookie();
    let planted = cookie.replace("__Host-", "");
    for (cookie, status) in [
        (cookie.clone(), StatusCode::OK),
        (planted.clone(), StatusCode::UNAUTHORIZED),
        (format!("{planted}; {cookie}"), StatusCode::OK),
    ] {
        let request = Request::get("/api/session").header(header::COOKIE, &cookie);
        assert_eq!(t.send(request.body("".into()).unwrap()).await.status, status, "{cookie}");
    }
    let request = Request::get("/api/openapi.json").header(header::COOKIE, &cookie);
    let described = t.send(request.body("".into()).unwrap()).await.json::<serde_json::Value>();
    let scheme = &described["components"]["securitySchemes"]["session"];
    assert_eq!(scheme["name"], "__Host-miniature_session");
}

#[tokio::test]
async fn signing_in_answers_who_one_is() {
    let t = Fixture::new().await;

    let answer = t.sign_in("ada", "secret").await;

    assert_eq!(answer.status, StatusCode::OK);
    let account = answer.json::<Account>();
    assert_eq!((account.user_id.as_str(), account.name.as_str()), ("ada", "Ada Lovelace"));
    assert_eq!(account.picture.image_id, Some(picture_of("ada")));
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(t.browser("ada").await.get("/api/session").await.json::<Account>(), account);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let t = Fixture::new().await;
    let cookie = t.sign_in("ada", "secret").await.header("set-cookie").to_owned();
    for rule in ["miniature_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(rule), "{rule}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "this server listens on loopback");

    let public = Fixture::with(Config { listen: ([0, 0, 0, 0], 0).into(), ..config() });
    let cookie = public.await.sign_in("ada", "secret").await.header("set-cookie").to_owned();
    assert!(cookie.contains("Secure"), "{cookie}");
}

impl Answer {
    /// The marker that a sign-in set.
    fn marker(&self) -> String {
        let cookies =
            self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let marker = cookies.filter_map(|cookie| cookie.strip_prefix("miniature_account="));
        let [cookie] = marker.collect::<Vec<_>>()[..] else { panic!("{:?}", self.headers) };
        assert!(!cookie.contains("HttpOnly") && cookie.contains("Max-Age=2592000"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_second_cookie_names_the_session_to_the_page() {
    let t = Fixture::new().await;
    let (first, second) = (t.sign_in("ada", "secret").await, t.sign_in("ada", "secret").await);
    let markers = [first.marker(), second.marker()];
    for marker in &markers {
        let (user, nonce) = marker.split_once('.').unwrap();
        let is_hex = nonce.bytes().all(|b| b.is_ascii_hexdigit());
        assert_eq!((user, nonce.len(), is_hex), ("ada", 8, true), "{marker}");
        assert!(!first.cookie().contains(nonce) && !second.cookie().contains(nonce));
    }
    assert_ne!(markers[0], markers[1]);
}

#[tokio::test]
async fn a_late_sign_out_ends_no_session_that_has_begun_since() {
    let t = Fixture::new().await;
    let (before, now) = (t.sign_in("ada", "secret").await, t.sign_in("ada", "secret").await);
    let browser = Browser { fixture: &t, cookie: now.cookie() };
    let others = [before.marker(), "ada".to_owned(), "\u{e9}".to_owned(), String::new()];
    for path in ["/api/session", "/api/session?everywhere=1"] {
        for other in &others {
            let late = browser.send(Method::DELETE, path, &[("miniature-session", other)]).await;
            assert_eq!(late.status, StatusCode::NO_CONTENT, "{other}");
            assert_eq!(browser.get("/api/session").await.status, StatusCode::OK, "{other}");
        }
    }
    let own = [("miniature-session", now.marker())];
    let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
    browser.send(Method::DELETE, "/api/session", &own).await;
    assert_eq!(browser.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_name_is_known_with_a_space_behind_it_and_with_capitals() {
    let t = Fixture::new().await;
    for name in ["ada", "ada ", " Ada", "ADA\t"] {
        let answer = t.sign_in(name, "secret").await;
        assert_eq!(answer.status, StatusCode::OK, "{name:?}");
        assert_eq!(answer.json::<Account>().user_id.as_str(), "ada");
    }
    assert_eq!(t.sign_in("a da", "secret").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_refused_alike() {
    let t = Fixture::new().await;
    let cases = [
        ("wrong password", "ada", "Secret"),
        ("unknown name", "nobody", "secret"),
        ("no name at all", "", "secret"),
        ("no id", "../ada", "secret"),
        ("one who cannot sign in", "cem", "secret"),
        ("endless", "ada", &"x".repeat(2_000)),
    ];
    for (name, user, password) in cases {
        let answer = t.sign_in(user, password).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(!answer.headers.contains_key("set-cookie"), "{name}");
        let detail = answer.json::<Problem>().detail.unwrap();
        assert_eq!(detail, "the name or the password is wrong", "{name}");
    }
}

#[tokio::test]
async fn each_mistake_in_the_body_names_its_field() {
    let t = Fixture::new().await;
    let long = format!(r#"{{"username":"{}"}}"#, "a".repeat(5_000));
    let cases = [
        ("no JSON", "application/json", "username=ada", 422, Some("body")),
        ("no object", "application/json", "[]", 422, Some("body")),
        ("no name", "application/json", r#"{"password":"x"}"#, 422, Some("username")),
        ("a number", "application/json", r#"{"username":"a","password":1}"#, 422, Some("password")),
        ("a form", "application/x-www-form-urlencoded", "username=ada", 415, None),
        ("too long", "application/json", &long, 413, None),
    ];
    for (name, content_type, body, status, field) in cases {
        let request = Request::post("/api/session").header(header::CONTENT_TYPE, content_type);
        let answer = t.send(request.body(body.to_owned().into()).unwrap()).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.json::<Problem>().field.as_deref(), field, "{name}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;

    let answer = browser.send(Method::DELETE, "/api/session", &[]).await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(!answer.headers.contains_key("set-cookie"), "it may come after another sign-in");
    assert_eq!(browser.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_this_user() {
    let t = Fixture::new().await;
    let (here, there, zoe) =
        (t.browser("ada").await, t.browser("ada").await, t.browser("zoe").await);
    let refused = here.send(Method::DELETE, "/api/session?everywhere=yes", &[]).await;
    assert_eq!(refused.json::<Problem>().field.as_deref(), Some("everywhere"));

    here.send(Method::DELETE, "/api/session?everywhere=1", &[]).await;

    for browser in [&here, &there] {
        assert_eq!(browser.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(zoe.get("/api/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_in_as_someone_else_ends_the_session_before() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let request = Request::post("/api/session")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::COOKIE, &ada.cookie)
        .body(r#"{"username":"zoe","password":"secret"}"#.into())
        .unwrap();

    assert_eq!(t.send(request).await.status, StatusCode::OK);

    assert_eq!(ada.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_lasts_thirty_days() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let thirty_days = 30 * 24 * 60 * 60;

    t.hand.fetch_add(thirty_days - 1, Ordering::SeqCst);
    assert_eq!(browser.get("/api/session").await.status, StatusCode::OK);

    t.hand.fetch_add(1, Ordering::SeqCst);
    assert_eq!(browser.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn too_many_tries_are_told_how_long_to_wait() {
    let few = NonZeroU32::new(2).unwrap();
    let t = Fixture::with(Config { sign_ins_per_name: few, ..config() });
    let t = t.await;
    for _ in 0..2 {
        assert_eq!(t.sign_in("ada", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }

    let answer = t.sign_in("ada", "secret").await;

    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait = answer.header("retry-after").parse::<u64>().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    assert_eq!(t.sign_in("zoe", "secret").await.status, StatusCode::OK, "another name may try");
}

#[tokio::test]
async fn another_site_cannot_sign_anyone_out() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = browser.send(Method::DELETE, "/api/session", &[header]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header:?}");
    }
    assert_eq!(browser.get("/api/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_to_refuse_as_a_known_one() {
    let t = Fixture::new().await;
    let fastest = async |name: &str| {
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let since = Instant::now();
            assert_eq!(t.sign_in(name, "wrong").await.status, StatusCode::UNAUTHORIZED);
            fastest = fastest.min(since.elapsed());
        }
        fastest
    };
    let known = fastest("ada").await;
    for name in ["nobody", "../ada", "cem"] {
        let unknown = fastest(name).await;
        assert!(unknown * 4 > known, "{name}: {unknown:?}, a known one {known:?}");
    }
}

#[tokio::test]
async fn only_a_server_with_demo_people_says_that_one_may_look_around() {
    for demo in [true, false] {
        let t = Fixture::with(Config { demo, ..config() }).await;
        let stranger = Browser { fixture: &t, cookie: String::new() };
        let answer = stranger.get("/api/session").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers.contains_key("miniature-demo"), demo);
        assert_eq!(answer.json::<Problem>().kind, Problem::NO_SESSION);
        let signed_in = t.browser("ada").await.get("/api/session").await;
        assert_eq!(signed_in.headers.contains_key("miniature-demo"), demo, "a session that ends");
    }
}
