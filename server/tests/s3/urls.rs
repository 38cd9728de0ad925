use std::time::Duration;

use miniature_api::Size;
use miniature_server::{clock::Clock, config::Delivery};
use miniature_services::S3;
use reqwest::StatusCode;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle, actions::GetObject};
use url::Url;

use crate::{fixture::picture_of, store::Store};

const HOUR: u64 = 60 * 60;

/// The same URL with a parameter changed.
fn with(url: &str, name: &str, change: impl Fn(&str) -> String) -> String {
    let mut url = url.parse::<Url>().unwrap();
    let pairs = url.query_pairs().into_owned().collect::<Vec<_>>();
    url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(key, value)| {
        let value = if key == name { change(&value) } else { value };
        (key, value)
    }));
    url.to_string()
}

/// Another hexadecimal digit in the first place.
fn tampered(signature: &str) -> String {
    let other = if signature.starts_with('0') { "1" } else { "0" };
    format!("{other}{}", &signature[1..])
}

fn signed_by_another_key(endpoint: &str, url: &str) -> String {
    let bucket =
        Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, S3::BUCKET, "us-east-1").unwrap();
    let path = url.parse::<Url>().unwrap().path().to_owned();
    let object = path.trim_start_matches(&format!("/{}/", S3::BUCKET)).to_owned();
    let other = Credentials::new(S3::ACCESS_KEY, "another-secret-key");
    GetObject::new(&bucket, Some(&other), &object).sign(Duration::from_secs(HOUR)).to_string()
}

#[tokio::test]
async fn a_signed_url_fetches_its_picture_for_an_hour_and_nothing_else() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let hint = server.picture("bea", Size::S128).await.hint.unwrap();
    let fresh = hint.url;
    let other_picture =
        fresh.replace(&picture_of("bea").to_string(), &picture_of("cem").to_string());
    server.set_clock(Clock::system().now() - 2 * HOUR);
    let expired = server.picture("cem", Size::S128).await.hint.unwrap().url;
    let master = fresh.replace("/renditions/", "/masters/").replace("-128.webp", ".webp");
    let cases = [
        ("fresh", fresh.clone(), StatusCode::OK),
        ("expired", expired, StatusCode::FORBIDDEN),
        ("tampered", with(&fresh, "X-Amz-Signature", tampered), StatusCode::FORBIDDEN),
        ("prolonged", with(&fresh, "X-Amz-Expires", |_| "7200".into()), StatusCode::FORBIDDEN),
        (
            "by another key",
            signed_by_another_key(&store.gate.endpoint, &fresh),
            StatusCode::FORBIDDEN,
        ),
        ("another picture", other_picture, StatusCode::FORBIDDEN),
        ("another size", fresh.replace("-128.webp", "-512.webp"), StatusCode::FORBIDDEN),
        ("the master", master, StatusCode::FORBIDDEN),
        ("unsigned", fresh.split('?').next().unwrap().to_owned(), StatusCode::FORBIDDEN),
    ];
    for (name, url, expected) in cases {
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), expected, "{name}: {url}");
    }
    let answer = reqwest::get(&fresh).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/webp");
    assert_eq!(answer.headers()["cache-control"], "private, max-age=31536000, immutable");
    let through_us = format!("/images/{}?size=128", picture_of("bea"));
    let through_us = server.browser("ada").await.get(&through_us).await.body;
    let fetched = answer.bytes().await.unwrap();
    assert_eq!((fetched.len() as u64, fetched), (hint.bytes, through_us));
}
