//! One request and its answer.

use std::{cell::Cell, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use js_sys::{Promise, Reflect, Uint8Array};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStream, RequestCredentials, RequestInit, RequestRedirect,
    Response,
};

use crate::{
    browser::{clock, json, schedule},
    cache::layer::OriginError,
};

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
pub(super) struct AbortOnDrop(pub(super) AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[wasm_bindgen]
extern "C" {
    #[derive(Debug)]
    type Reader;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<Promise, JsValue>;
}

impl Call {
    pub(super) fn new(method: &str, url: String) -> Self {
        let options = RequestInit::new();
        options.set_method(method);
        options.set_credentials(RequestCredentials::SameOrigin);
        options.set_redirect(RequestRedirect::Error);
        // A plain object takes any field.
        let _ = Reflect::set(&options, &"cache".into(), &"no-store".into());
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

    /// It is carried out even if the page goes.
    pub(super) fn outliving_the_page(self) -> Self {
        let _ = Reflect::set(&self.options, &"keepalive".into(), &JsValue::TRUE);
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
        Exchange::begun(answer, self.abort).await
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
    /// Waits for status and headers of a request that was sent.
    pub(super) async fn begun(
        answer: Promise,
        abort: Option<AbortOnDrop>,
    ) -> Result<Self, OriginError> {
        // `fetch` fails for one reason that matters here: there is no answer.
        let answer = JsFuture::from(answer).await.map_err(|_| OriginError::Unreachable)?;
        let response = answer.dyn_into().map_err(|_| OriginError::Malformed)?;
        Ok(Self { response, _abort: abort })
    }

    pub(super) fn status(&self) -> u16 {
        self.response.status()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    /// Whether the content type is this one, whatever its parameters.
    pub(super) fn is_of_type(&self, media_type: &str) -> bool {
        self.header("content-type").is_some_and(|of| {
            let of = of.split(';').next().unwrap_or_default();
            of.trim().eq_ignore_ascii_case(media_type)
        })
    }

    /// The body, in one buffer; `progressed` is called with the length of each piece that arrives.
    /// A connection that breaks meanwhile is a server out of reach.
    pub(super) async fn bytes(&self, progressed: &dyn Fn(u64)) -> Result<Vec<u8>, OriginError> {
        self.growing(&mut |_, more| progressed(more)).await
    }

    /// As [`Self::bytes`]; `grown` is called with what has arrived so far and the length of its last piece.
    pub(super) async fn growing(
        &self,
        grown: &mut dyn FnMut(&[u8], u64),
    ) -> Result<Vec<u8>, OriginError> {
        match self.response.body() {
            Some(stream) => read_all(&stream, grown).await,
            None => self.read_at_once(grown).await,
        }
    }

    /// Calls `take` with each piece of the body as it arrives, until it ends or `take` fails. A browser
    /// that gives no pieces gives none.
    pub(super) async fn pieces(
        &self,
        take: &mut dyn FnMut(Vec<u8>) -> Result<(), OriginError>,
    ) -> Result<(), OriginError> {
        match self.response.body() {
            Some(stream) => each_piece(&stream, &mut |piece| take(piece.to_vec())).await,
            None => Err(OriginError::Malformed),
        }
    }

    async fn read_at_once(
        &self,
        grown: &mut dyn FnMut(&[u8], u64),
    ) -> Result<Vec<u8>, OriginError> {
        let body = self.response.array_buffer().map_err(|_| OriginError::Malformed)?;
        let body = JsFuture::from(body).await.map_err(|_| OriginError::Unreachable)?;
        let body = Uint8Array::new(&body).to_vec();
        grown(&body, body.len() as u64);
        Ok(body)
    }
}

async fn read_all(
    stream: &ReadableStream,
    grown: &mut dyn FnMut(&[u8], u64),
) -> Result<Vec<u8>, OriginError> {
    let mut body = Vec::new();
    let mut take = |piece: &Uint8Array| {
        append(&mut body, piece);
        grown(&body, piece.length().into());
        Ok(())
    };
    each_piece(stream, &mut take).await?;
    Ok(body)
}

async fn each_piece(
    stream: &ReadableStream,
    take: &mut dyn FnMut(&Uint8Array) -> Result<(), OriginError>,
) -> Result<(), OriginError> {
    let reader: Reader = stream.get_reader().unchecked_into();
    loop {
        let piece = reader.read().map_err(|_| OriginError::Malformed)?;
        let piece = JsFuture::from(piece).await.map_err(|_| OriginError::Unreachable)?;
        let field = |name: &str| Reflect::get(&piece, &name.into()).unwrap_or_default();
        if field("done").is_truthy() {
            return Ok(());
        }
        let piece: Uint8Array = field("value").dyn_into().map_err(|_| OriginError::Malformed)?;
        take(&piece)?;
    }
}

fn append(body: &mut Vec<u8>, piece: &Uint8Array) {
    let held = body.len();
    body.resize(held.saturating_add(piece.length() as usize), 0);
    if let Some(room) = body.get_mut(held..) {
        piece.copy_to(room);
    }
}

pub(super) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, OriginError> {
    let text = std::str::from_utf8(bytes).map_err(|_| OriginError::Malformed)?;
    json::read(text).ok_or(OriginError::Malformed)
}

/// The whole answer to a call, unless nothing is heard of the server for `silence`.
pub(super) async fn whole(
    call: Call,
    silence: Duration,
) -> Result<(Exchange, Vec<u8>), OriginError> {
    let heard = Cell::new(clock::now().running);
    let progressed = |_| heard.set(clock::now().running);
    let answer = async {
        let answer = call.send().await?;
        progressed(0);
        let body = answer.bytes(&progressed).await?;
        Ok((answer, body))
    };
    match select(pin!(answer), pin!(silent(&heard, silence))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(OriginError::Unreachable),
    }
}

/// Ends when nothing was heard for so long.
pub(super) async fn silent(heard: &Cell<Duration>, lasts: Duration) {
    loop {
        let since = clock::now().running.saturating_sub(heard.get());
        match lasts.checked_sub(since) {
            None | Some(Duration::ZERO) => return,
            Some(left) => schedule::sleep(left).await,
        }
    }
}
