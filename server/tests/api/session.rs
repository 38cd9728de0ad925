use std::{num::NonZeroU32, sync::atomic::Ordering};

use axum::http::{Method, Request, StatusCode, header};
use miniature_api::{Account, Problem};

use crate::fixture::{Fixture, config, picture_of};

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

    let public = Fixture::with(miniature_server::config::Config {
        listen: ([0, 0, 0, 0], 0).into(),
        ..config()
    });
    let cookie = public.await.sign_in("ada", "secret").await.header("set-cookie").to_owned();
    assert!(cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_second_cookie_tells_the_page_who_is_signed_in() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let signed_in = t.sign_in("ada", "secret").await;
    let signed_out = browser.send(Method::DELETE, "/api/session", &[]).await;
    for (answer, begins) in
        [(signed_in, "miniature_account=ada; "), (signed_out, "miniature_account=; ")]
    {
        let cookies = answer.headers.get_all("set-cookie").iter();
        let cookie = cookies.map(|value| value.to_str().unwrap()).find(|v| v.starts_with(begins));
        assert!(!cookie.unwrap().contains("HttpOnly"), "{cookie:?}");
    }
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
    assert!(answer.header("set-cookie").starts_with("miniature_session=; "));
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
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
    let t = Fixture::with(miniature_server::config::Config { sign_ins_per_name: few, ..config() });
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
