use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use miniature_api::{Post, Problem};
use serde_json::json;

use crate::fixture::{Fixture, picture_of};

#[tokio::test]
async fn nothing_but_signing_in_and_health_is_open() {
    let t = Fixture::new().await;
    let image = format!("/images/{}?size=64", picture_of("bea"));
    let cases = [
        ("/api/session", 401),
        ("/api/friends", 401),
        ("/api/friends?limit=nonsense", 401),
        ("/api/users/ada", 401),
        ("/api/images/user/ada?size=64", 401),
        ("/api/images/batch?size=64&users=ada", 401),
        ("/api/posts", 401),
        ("/api/events", 401),
        (&image, 401),
        ("/healthz", 200),
        ("/readyz", 200),
    ];
    for (path, status) in cases {
        for cookie in [None, Some("miniature_session=AAAA"), Some("other=1")] {
            let mut request = Request::get(path);
            if let Some(cookie) = cookie {
                request = request.header(header::COOKIE, cookie);
            }
            let answer = t.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, status, "{path} {cookie:?}");
        }
    }
}

#[tokio::test]
async fn what_names_another_account_than_the_session_changes_nothing() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let of = |account| [("miniature-account", account), ("content-type", "application/json")];
    let (post, name) = (json!({ "text": "hello" }), json!({ "name": "Ada" }));
    let cases = [
        (Method::DELETE, "/api/users/me/picture", ""),
        (Method::PUT, "/api/users/me/picture", "no picture"),
        (Method::PATCH, "/api/users/me", &name.to_string()),
        (Method::POST, "/api/posts", &post.to_string()),
    ];
    for (method, path, body) in cases {
        let send = async |account| {
            let request = Request::builder().method(&method).uri(path);
            let request = of(account)
                .into_iter()
                .chain([("cookie", &*ada.cookie)])
                .fold(request, |request, (name, value)| request.header(name, value));
            t.send(request.body(Body::from(body.to_owned())).unwrap()).await.status
        };
        assert_eq!(send("bea").await, StatusCode::CONFLICT, "{method} {path}");
        assert_ne!(send("ada").await, StatusCode::CONFLICT, "{method} {path}");
    }
    assert_eq!(ada.get_with("/api/friends", "miniature-account", "bea").await.status, 200);
}

#[tokio::test]
async fn what_is_down_is_named_and_why_is_not() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    t.collection.database.close().await;
    for path in ["/readyz", "/api/friends", "/api/images/batch?size=64&users=cem"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "1", "{path}");
        let detail = answer.json::<Problem>().detail.unwrap();
        assert_eq!(detail, "down: database; try again in a moment", "{path}");
    }
    let answer = t.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cause_inside_the_server_is_not_told() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let image = picture_of("bea").to_string();
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    let master = format!("masters/{}/{image}.webp", &image[..2]);
    std::fs::write(t.folder.path().join(master), "damaged").unwrap();
    let answer = browser.get(&format!("/images/{image}?size=64")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json::<Problem>().detail.as_deref(), Some("something went wrong here"));
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let image = format!("/images/{}?size=64", picture_of("ada"));
    for path in ["/api/friends", &image, "/healthz", "/api/nothing", "/nothing"] {
        let answer = browser.send(Method::GET, path, &[]).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_body_that_never_arrives_is_not_waited_for() {
    let t = Fixture::new().await;
    tokio::time::pause();
    let never = Body::from_stream(futures_util::stream::pending::<Result<&[u8], std::io::Error>>());
    let request = Request::post("/api/session").header("content-type", "application/json");
    let answer = t.send(request.body(never).unwrap()).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert!(answer.json::<Problem>().detail.is_some());
}

#[tokio::test]
async fn a_stranger_sees_who_someone_is_and_nothing_of_whom_they_know_or_what_they_write() {
    let t = Fixture::new().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let post = json!({ "text": "among friends" });
    let written = ada.send_json(Method::POST, "/api/posts", &post).await;
    assert_eq!(written.status, StatusCode::CREATED);
    let id = written.json::<Post>().id;
    let image = format!("/images/{}?size=64", picture_of("ada"));
    let routes = [
        ("/api/session", "zoe"),
        ("/api/friends", "nobody"),
        ("/api/friends?pictures=64", "nobody"),
        ("/api/friends?user=ada&user_id=ada&of=ada", "nobody"),
        ("/api/posts", "nobody"),
        ("/api/posts?user=ada&author=ada", "nobody"),
        (&format!("/api/posts?before={}", u128::MAX), "refused"),
        ("/api/users/ada/friends", "not there"),
        ("/api/users/ada/posts", "not there"),
        (&format!("/api/posts/{id}"), "not there"),
        ("/api/users/ada", "ada"),
        ("/api/images/user/ada?size=64", "ada"),
        ("/api/images/batch?size=64&users=ada&bytes=0", "ada"),
        (&image, "a picture"),
    ];
    for (path, sees) in routes {
        let answer = zoe.get(path).await;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains("among friends") && !body.contains("\"bea\""), "{path}: {body}");
        let status = match sees {
            "not there" => StatusCode::NOT_FOUND,
            "refused" => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::OK,
        };
        assert_eq!(answer.status, status, "{path}: {body}");
        assert_eq!(body.contains("\"ada\""), sees == "ada", "{path}: {body}");
    }
    let described = zoe.get("/api/openapi.json").await.json::<serde_json::Value>();
    let reads = described["paths"].as_object().unwrap().iter();
    let reads = reads.filter(|(_, methods)| methods.get("get").is_some()).map(|(path, _)| path);
    let mut reads = reads.map(String::as_str).collect::<Vec<_>>();
    reads.sort_unstable();
    let expected = [
        "/api/events",
        "/api/friends",
        "/api/images/batch",
        "/api/images/user/{user_id}",
        "/api/posts",
        "/api/session",
        "/api/users/{user_id}",
        "/healthz",
        "/images/{image_id}",
        "/readyz",
    ];
    assert_eq!(reads, expected, "a new route: who may read it?");
}
