//! A stream through which nothing comes any more, and which does not end.

use super::forward::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::watch;

/// A body until the next silence; from then on what comes is dropped.
#[derive(Debug)]
pub(super) struct Silenced {
    body: Body,
    silences: watch::Receiver<u32>,
    at_first: u32,
}

impl Silenced {
    pub(super) fn new(body: Body, silences: watch::Receiver<u32>) -> Self {
        let at_first = *silences.borrow();
        Self { body, silences, at_first }
    }
}

impl HttpBody for Silenced {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        loop {
            let frame = Pin::new(&mut self.body).poll_frame(context);
            let is_silent = *self.silences.borrow() != self.at_first;
            match frame {
                Poll::Ready(Some(Ok(_))) if is_silent => {}
                Poll::Ready(None | Some(Err(_))) if is_silent => return Poll::Pending,
                frame => return frame,
            }
        }
    }
}
