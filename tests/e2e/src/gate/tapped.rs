//! An event stream through which a journey speaks, or nothing comes any more.

use super::forward::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::{mpsc, watch};

/// A body, and what is poured into it. From the next silence on what comes is dropped, and it does not end.
#[derive(Debug)]
pub(super) struct Tapped {
    body: Body,
    poured: mpsc::UnboundedReceiver<Bytes>,
    silences: watch::Receiver<u32>,
    at_first: u32,
}

impl Tapped {
    pub(super) fn new(
        body: Body,
        poured: mpsc::UnboundedReceiver<Bytes>,
        silences: watch::Receiver<u32>,
    ) -> Self {
        let at_first = *silences.borrow();
        Self { body, poured, silences, at_first }
    }
}

impl HttpBody for Tapped {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        loop {
            let poured = self.poured.poll_recv(context);
            if let Poll::Ready(Some(bytes)) = poured {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
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
