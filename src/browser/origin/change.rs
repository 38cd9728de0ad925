//! Changes that someone makes: of their picture, of what is said of them, of their posts.
//!
//! A picture goes by `XMLHttpRequest`: `fetch` tells nothing of how far a body has been sent.
//!
//! **Invariant:** each names the account that it is made for. If the session is another's by then, the
//! server changes nothing.

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::future::{Either, select};
use js_sys::Promise;
use miniature_api::{ACCOUNT_HEADER, LINEAGE_HEADER, Lineage, Problem, UserId};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ProgressEvent, XmlHttpRequest};

use super::{
    api::Api,
    exchange::{Call, read_json, silent, whole},
    retry_after::seconds_or_date,
};
use crate::{
    browser::{clock, listener::Listener},
    cache::layer::OriginError,
};

const PICTURE: &str = "/api/users/me/picture";
const POSTS: &str = "/api/posts";
const ME: &str = "/api/users/me";

/// What the server says of a change that it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed<T> {
    /// The lineage of its answer.
    pub lineage: Lineage,
    /// What is so since.
    pub now: T,
}

/// Why a change was not made, by what can be done about it. One that is [`Unreachable`](Self::Unreachable)
/// may have been made all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// Make another: the server says what is wrong with this one, with its status.
    #[error("refused with {0}: {1}")]
    Refused(u16, String),
    /// Wait: too many, or too much at once.
    #[error("too much at once")]
    TooMany(Option<Duration>),
    /// Sign in again: the session has ended, or is another's by now.
    #[error("the session is not this account's any more")]
    SignedOut,
    /// Try again.
    #[error("the server is out of reach")]
    Unreachable,
}

impl From<OriginError> for ChangeError {
    fn from(_: OriginError) -> Self {
        Self::Unreachable
    }
}

impl Api {
    /// Puts a picture in the place of one's own. `sent` is called with the share of it that has been
    /// sent, from 0 to 1. Given up when nothing moves for `silence`; dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], by what can be done about it.
    pub async fn replace_picture<T: DeserializeOwned>(
        &self,
        account: &UserId,
        picture: &Blob,
        silence: Duration,
        sent: impl Fn(f64) + 'static,
    ) -> Result<Changed<T>, ChangeError> {
        let upload = Upload::begin(&self.url(PICTURE), account, picture, sent);
        let upload = upload.map_err(|_| ChangeError::Unreachable)?;
        let ended = std::pin::pin!(JsFuture::from(upload.ended.clone()));
        let silent = std::pin::pin!(silent(&upload.moved, silence));
        match select(ended, silent).await {
            Either::Left(_) => upload.read(account),
            Either::Right(_) => Err(ChangeError::Unreachable),
        }
    }

    /// Removes one's own picture.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], by what can be done about it.
    pub async fn remove_picture<T: DeserializeOwned>(
        &self,
        account: &UserId,
        silence: Duration,
    ) -> Result<Changed<T>, ChangeError> {
        let call = Call::new("DELETE", self.url(PICTURE)).outliving_the_page();
        send(call, account, silence).await
    }

    /// Writes a post. The same again, under the same id, makes no second one.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], by what can be done about it.
    pub async fn post<T: DeserializeOwned>(
        &self,
        account: &UserId,
        post: &impl Serialize,
        silence: Duration,
    ) -> Result<Changed<T>, ChangeError> {
        send(Call::new("POST", self.url(POSTS)).json(post)?, account, silence).await
    }

    /// Changes what is said of oneself; what is left out stays.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], by what can be done about it.
    pub async fn describe<T: DeserializeOwned>(
        &self,
        account: &UserId,
        change: &impl Serialize,
        silence: Duration,
    ) -> Result<Changed<T>, ChangeError> {
        send(Call::new("PATCH", self.url(ME)).json(change)?, account, silence).await
    }
}

async fn send<T: DeserializeOwned>(
    call: Call,
    account: &UserId,
    silence: Duration,
) -> Result<Changed<T>, ChangeError> {
    let (answer, body) = whole(call.header(ACCOUNT_HEADER, account.as_str()), silence).await?;
    read(answer.status(), &|name| answer.header(name), &body, account)
}

/// Reads an answer, however it was fetched.
fn read<T: DeserializeOwned>(
    status: u16,
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
    account: &UserId,
) -> Result<Changed<T>, ChangeError> {
    let lineage = header(LINEAGE_HEADER).and_then(|lineage| lineage.parse().ok());
    let named = header(ACCOUNT_HEADER);
    let is_theirs = named.as_deref() == Some(account.as_str());
    let problem = || read_json::<Problem>(body).ok();
    match status {
        200 | 201 if is_theirs => {
            let lineage = lineage.ok_or(ChangeError::Unreachable)?;
            Ok(Changed { lineage, now: read_json(body)? })
        }
        429 | 503 => {
            Err(ChangeError::TooMany(header("retry-after").as_deref().and_then(seconds_or_date)))
        }
        401 if problem().is_some_and(|problem| problem.kind == Problem::NO_SESSION) => {
            Err(ChangeError::SignedOut)
        }
        // The session is somebody else's.
        200..=499 if named.is_some() && !is_theirs => Err(ChangeError::SignedOut),
        400..=499 if status != 401 => match problem() {
            Some(Problem { title, detail, .. }) => {
                Err(ChangeError::Refused(status, detail.unwrap_or(title)))
            }
            None => Err(ChangeError::Unreachable),
        },
        _ => Err(ChangeError::Unreachable),
    }
}

/// A picture on its way. Cancelled when dropped; of one that has ended that does nothing.
struct Upload {
    request: XmlHttpRequest,
    ended: Promise,
    /// When anything was last heard of it.
    moved: Rc<Cell<Duration>>,
    _progress: Option<Listener>,
    _ended: Option<Listener>,
}

impl Upload {
    fn begin(
        url: &str,
        account: &UserId,
        picture: &Blob,
        sent: impl Fn(f64) + 'static,
    ) -> Result<Self, JsValue> {
        let request = XmlHttpRequest::new()?;
        request.open("PUT", url)?;
        request.set_request_header(ACCOUNT_HEADER, account.as_str())?;
        let moved = Rc::new(Cell::new(clock::now().running));
        let mark = Rc::clone(&moved);
        let progress = Listener::on(&*request.upload()?, "progress", move |event| {
            mark.set(clock::now().running);
            if let Ok(event) = event.dyn_into::<ProgressEvent>()
                && event.total() > 0.0
            {
                sent(event.loaded() / event.total());
            }
        });
        let mut end = JsValue::UNDEFINED;
        let ended = Promise::new(&mut |done, _| end = done.into());
        let end: js_sys::Function = end.unchecked_into();
        let on_end = Listener::on(&request, "loadend", move |_| {
            let _ = end.call0(&JsValue::UNDEFINED);
        });
        request.send_with_opt_blob(Some(picture))?;
        Ok(Self { request, ended, moved, _progress: progress, _ended: on_end })
    }

    fn read<T: DeserializeOwned>(&self, account: &UserId) -> Result<Changed<T>, ChangeError> {
        let status = self.request.status().unwrap_or_default();
        let body = self.request.response_text().ok().flatten().unwrap_or_default();
        let header = |name: &str| self.request.get_response_header(name).ok().flatten();
        read(status, &header, body.as_bytes(), account)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = self.request.abort();
    }
}
