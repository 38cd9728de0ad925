use axum::http::Method;
use miniature_api::Problem;

use crate::fixture::{Fixture, picture_of};

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong_with_them() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let fifty_one = format!("/api/images/batch?size=64&users={}", ["ada"; 51].join(","));
    let image = format!("/images/{}", picture_of("ada"));
    let cases = [
        ("/api/friends?limit=0", 422, Some("limit")),
        ("/api/friends?limit=51", 422, Some("limit")),
        ("/api/friends?limit=-1", 422, Some("limit")),
        ("/api/friends?limit=1&limit=2", 422, Some("limit")),
        ("/api/friends?cursor=nonsense", 422, Some("cursor")),
        ("/api/friends?cursor=YQoA", 422, Some("cursor")), // a NUL
        ("/api/friends?pictures=65", 422, Some("pictures")),
        ("/api/users/nobody", 404, None),
        ("/api/users/not%20an%20id", 404, None),
        ("/api/users/%ff", 404, None),
        ("/api/images/user/nobody?size=64", 404, None),
        ("/api/images/user/ada", 422, Some("size")),
        ("/api/images/user/ada?size=100", 422, Some("size")),
        ("/api/images/batch?users=ada", 422, Some("size")),
        ("/api/images/batch?size=64", 422, Some("users")),
        ("/api/images/batch?size=64&users=", 422, Some("users")),
        ("/api/images/batch?size=64&users=ada,,bea", 422, Some("users")),
        ("/api/images/batch?size=64&users=ada:x", 422, Some("users")),
        ("/api/images/batch?size=64&users=ada&bytes=2", 422, Some("bytes")),
        (&fifty_one, 422, Some("users")),
        ("/images/00000000000000000000000000000000?size=64", 404, None),
        ("/images/nonsense?size=64", 404, None),
        ("/images/..%2f..%2fminiature.sqlite?size=64", 404, None),
        (&image, 422, Some("size")),
        (&format!("{image}?size=63"), 422, Some("size")),
        ("/api", 404, None),
        ("/api/", 404, None),
        ("/api/nothing", 404, None),
        ("/images", 404, None),
        ("/nothing", 404, None),
    ];
    for (path, status, field) in cases {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json::<Problem>();
        assert_eq!(problem.status, status, "{path}");
        assert_eq!(problem.field.as_deref(), field, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let cases = [
        (Method::PUT, "/api/session", "GET,HEAD,POST,DELETE"),
        (Method::POST, "/api/friends", "GET,HEAD"),
        (Method::DELETE, "/api/users/ada", "GET,HEAD"),
        (Method::POST, "/api/users/me/picture", "PUT,DELETE"),
        (Method::POST, "/images/0", "GET,HEAD"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ];
    for (method, path, allowed) in cases {
        let answer = browser.send(method, path, &[]).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.header("allow"), allowed, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn only_the_refusal_of_a_session_is_called_so() {
    let t = Fixture::new().await;
    let stranger = t.browser("ada").await;
    assert_eq!(stranger.send(Method::DELETE, "/api/session", &[]).await.status, 204);
    for path in ["/api/session", "/api/friends", "/api/images/batch?size=64&users=ada"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json::<Problem>().kind, Problem::NO_SESSION, "{path}");
    }
    let wrong = t.sign_in("ada", "not it").await;
    assert_eq!((wrong.status.as_u16(), wrong.json::<Problem>().kind), (401, "about:blank".into()));
}
