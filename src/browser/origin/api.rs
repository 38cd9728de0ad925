//! What is asked of the API.

use std::rc::Rc;

use miniature_api::{BATCH_LIMIT, BatchUser, LINEAGE_HEADER, Lineage, MARKER_HEADER};

use super::{
    arriving::Reader,
    boot::Begun,
    exchange::{Call, Exchange},
    reply,
};
use crate::cache::{
    core::{Fetched, Request},
    entry::Content,
};

/// How many posts are asked for at a time.
const POSTS_A_PAGE: usize = 20;

/// The API, on this origin unless told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Api {
    base: Rc<str>,
}

impl Api {
    /// The API under `base`, without a slash at its end. It has to accept this origin's session.
    pub fn at(base: &str) -> Self {
        Self { base: base.into() }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a request and reads its answer. Dropping the future aborts it.
    pub async fn fetch(
        &self,
        request: &Request,
        lineage: Option<Lineage>,
        reader: &Reader<'_>,
    ) -> Fetched<Content> {
        let mut call = self.call(request);
        // With a header of ours the browser would ask another origin for leave first.
        let lineage = lineage.filter(|_| !matches!(request, Request::Rendition { .. }));
        if let Some(lineage) = lineage {
            call = call.header(LINEAGE_HEADER, lineage.to_string());
        }
        reply::read(call.send().await, request, reader, None).await
    }

    /// As [`Api::fetch`], for a request that `boot.js` has sent.
    pub async fn fetch_begun(
        &self,
        begun: Begun,
        request: &Request,
        reader: &Reader<'_>,
    ) -> Fetched<Content> {
        let Begun { response, abort, pictures, asked } = begun;
        let request = sent_by_boot(request, pictures);
        let answer = Exchange::begun(response, abort).await;
        reply::read(answer, &request, reader, Some(asked)).await
    }

    fn call(&self, request: &Request) -> Call {
        let path = path(request);
        let url = if path.starts_with('/') { self.url(&path) } else { path };
        match request {
            Request::Pictures { .. } => Call::get(url).header("accept", "multipart/form-data"),
            Request::Friends { etag: Some(etag), .. } => {
                Call::get(url).header("if-none-match", etag.as_ref())
            }
            Request::SignOut(marker) if !marker.as_str().is_empty() => {
                Call::new("DELETE", url).header(MARKER_HEADER, marker.as_str())
            }
            Request::SignOut(_) => Call::new("DELETE", url),
            Request::Friends { etag: None, .. }
            | Request::Rendition { .. }
            | Request::Feed(_)
            | Request::Profile(_)
            | Request::Session => Call::get(url),
        }
    }
}

/// What `boot.js` asked for, which chooses the size of the pictures by itself.
fn sent_by_boot(request: &Request, pictures: Option<miniature_api::Size>) -> Request {
    match request {
        Request::Friends { .. } => Request::Friends { cursor: None, pictures, etag: None },
        Request::Feed(_)
        | Request::Pictures { .. }
        | Request::Rendition { .. }
        | Request::Profile(_)
        | Request::Session
        | Request::SignOut(_) => request.clone(),
    }
}

fn path(request: &Request) -> String {
    match request {
        Request::Pictures { size, users } => {
            let users: Vec<String> = users.iter().map(BatchUser::to_string).collect();
            format!("/api/images/batch?size={size}&users={}", users.join(","))
        }
        Request::Rendition { url, .. } => url.to_string(),
        Request::Friends { cursor, pictures, etag: _ } => {
            let mut path = format!("/api/friends?limit={BATCH_LIMIT}");
            if let Some(cursor) = cursor {
                path.push_str("&cursor=");
                path.push_str(&String::from(js_sys::encode_uri_component(cursor)));
            }
            if let Some(size) = pictures {
                path.push_str(&format!("&pictures={size}"));
            }
            path
        }
        Request::Feed(None) => format!("/api/posts?limit={POSTS_A_PAGE}"),
        Request::Feed(Some(before)) => format!("/api/posts?limit={POSTS_A_PAGE}&before={before}"),
        Request::Profile(user) => format!("/api/users/{user}"),
        Request::Session | Request::SignOut(_) => "/api/session".to_owned(),
    }
}
