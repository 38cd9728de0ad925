//! Counts requests.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};
use tokio::time::Instant;

use crate::metrics::{HTTP_REQUESTS, HTTP_SECONDS};

/// Counts a request under the route that it matched, so that ids make no series of their own.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unrouted", MatchedPath::as_str).to_owned();
    let method = known(request.method().as_str());
    let since = Instant::now();
    let answer = next.run(request).await;
    let status = answer.status().as_u16().to_string();
    histogram!(HTTP_SECONDS, "route" => route.clone()).record(since.elapsed().as_secs_f64());
    counter!(HTTP_REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
    answer
}

/// Anyone can make up a method, and each would be a series for good.
fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}
