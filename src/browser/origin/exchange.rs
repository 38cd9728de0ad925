//! One request and its answer.

use js_sys::Uint8Array;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, RequestCredentials, RequestInit, RequestRedirect, Response,
};

use crate::{browser::json, cache::layer::OriginError};

/// A request being put together.
#[derive(Debug)]
pub(super) struct Call {
    url: String,
    options: RequestInit,
    headers: Vec<(&'static str, String)>,
    abort: Option<AbortOnDrop>,
}

/// An answer whose status and headers are here. Its body is aborted when this is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    response: Response,
    _abort: Option<AbortOnDrop>,
}

/// Aborting a request that has ended does nothing.
#[derive(Debug)]
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Call {
    pub(super) fn new(method: &str, url: String) -> Self {
        let options = RequestInit::new();
        options.set_method(method);
        options.set_credentials(RequestCredentials::SameOrigin);
        options.set_redirect(RequestRedirect::Error);
        let abort = AbortController::new().ok().map(AbortOnDrop);
        if let Some(AbortOnDrop(controller)) = &abort {
            options.set_signal(Some(&controller.signal()));
        }
        Self { url, options, headers: Vec::new(), abort }
    }

    pub(super) fn get(url: String) -> Self {
        Self::new("GET", url)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(self, body: &impl Serialize) -> Result<Self, OriginError> {
        let text = json::write(body).ok_or(OriginError::Malformed)?;
        self.options.set_body(&JsValue::from(text));
        Ok(self.header("content-type", "application/json"))
    }

    /// Waits for status and headers.
    pub(super) async fn send(self) -> Result<Exchange, OriginError> {
        let headers = headers(&self.headers)?;
        self.options.set_headers(&headers);
        let window = web_sys::window().ok_or(OriginError::Unreachable)?;
        let answer = window.fetch_with_str_and_init(&self.url, &self.options);
        Exchange::of(JsFuture::from(answer).await, self.abort)
    }
}

fn headers(lines: &[(&str, String)]) -> Result<Headers, OriginError> {
    let headers = Headers::new().map_err(|_| OriginError::Malformed)?;
    for (name, value) in lines {
        headers.set(name, value).map_err(|_| OriginError::Malformed)?;
    }
    Ok(headers)
}

impl Exchange {
    /// A request that `boot.js` has sent.
    pub(super) async fn begun_elsewhere(promise: js_sys::Promise) -> Result<Self, OriginError> {
        Self::of(JsFuture::from(promise).await, None)
    }

    /// `fetch` fails for one reason that matters here: there is no answer.
    fn of(
        answer: Result<JsValue, JsValue>,
        abort: Option<AbortOnDrop>,
    ) -> Result<Self, OriginError> {
        let answer = answer.map_err(|_| OriginError::Unreachable)?;
        let response = answer.dyn_into().map_err(|_| OriginError::Malformed)?;
        Ok(Self { response, _abort: abort })
    }

    pub(super) fn status(&self) -> u16 {
        self.response.status()
    }

    /// This answer, if its status says that it is what was asked for.
    pub(super) fn accepted(self) -> Result<Self, OriginError> {
        match self.status() {
            200..=299 => Ok(self),
            401 => Err(OriginError::SignedOut),
            status => Err(OriginError::Status(status)),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    /// The body. A connection that breaks while it arrives is a server out of reach.
    pub(super) async fn bytes(&self) -> Result<Vec<u8>, OriginError> {
        let body = self.response.array_buffer().map_err(|_| OriginError::Malformed)?;
        let body = JsFuture::from(body).await.map_err(|_| OriginError::Unreachable)?;
        Ok(Uint8Array::new(&body).to_vec())
    }

    pub(super) async fn read_json<T: DeserializeOwned>(&self) -> Result<T, OriginError> {
        read_json(self.bytes().await?)
    }
}

pub(super) fn read_json<T: DeserializeOwned>(bytes: Vec<u8>) -> Result<T, OriginError> {
    let text = String::from_utf8(bytes).map_err(|_| OriginError::Malformed)?;
    json::read(&text).ok_or(OriginError::Malformed)
}
