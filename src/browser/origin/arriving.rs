//! Answers that are shown as they arrive.

use std::{fmt, time::Duration};

use miniature_api::{ImageId, Size, multipart};

use super::{
    exchange::Exchange,
    reply::{Parts, fetched, reply_of},
};
use crate::{
    browser::clock,
    cache::{
        core::{Fetched, Reply, Request},
        entry::Content,
    },
};

/// How an answer is read, and what hears of it meanwhile.
pub struct Reader<'a> {
    /// The most bytes that a rendition may have.
    pub limit: usize,
    /// How often what has arrived is handed out.
    pub part_every: Duration,
    /// Called with 0 when the headers are here, then with the length of each piece of the body.
    pub progressed: &'a dyn Fn(u64),
    /// Called with each part of an answer while the rest is on its way: all of its JSON first, then pictures.
    pub arriving: &'a dyn Fn(Fetched<Content>),
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A body that grows.
pub(super) struct Arriving<'a> {
    request: &'a Request,
    answer: &'a Exchange,
    reader: &'a Reader<'a>,
    asked: Option<Duration>,
    /// When a part was handed out last.
    last: Duration,
    /// Whether its JSON was handed out.
    begun: bool,
    /// The images that were handed out.
    pub(super) told: Vec<ImageId>,
}

impl<'a> Arriving<'a> {
    pub(super) fn new(
        request: &'a Request,
        answer: &'a Exchange,
        reader: &'a Reader<'a>,
        asked: Option<Duration>,
    ) -> Self {
        let last = clock::now().running;
        Self { request, answer, reader, asked, last, begun: false, told: Vec::new() }
    }

    pub(super) fn grown(&mut self, body: &[u8], more: u64) {
        (self.reader.progressed)(more);
        let now = clock::now().running;
        if now.saturating_sub(self.last) < self.reader.part_every {
            return;
        }
        self.last = now;
        // What is wrong with it, its end will say.
        if let Some(reply) = self.part(body) {
            (self.reader.arriving)(fetched(self.answer, self.asked, Ok(reply)));
        }
    }

    /// What has come since the last part.
    fn part(&mut self, body: &[u8]) -> Option<Reply<Content>> {
        let size = size_of(self.request)?;
        let content_type = self.answer.header("content-type")?;
        let parts = Parts::of(multipart::arrived(&content_type, body).ok()?).ok()?;
        let parts = parts.without(&self.told);
        let images: Vec<ImageId> = parts.images.iter().map(|(image, _)| *image).collect();
        let reply = match self.begun {
            false => reply_of(self.request, self.answer, &parts, self.reader.limit).ok()?,
            true if images.is_empty() => return None,
            true => {
                let renditions = parts.checked(size, self.reader.limit);
                Reply::Pictures { entries: Vec::new(), renditions }
            }
        };
        self.begun = true;
        self.told.extend(images);
        Some(reply)
    }
}

/// The size of the pictures that an answer brings; none if it brings none.
fn size_of(request: &Request) -> Option<Size> {
    match request {
        Request::Pictures { size, .. } => Some(*size),
        Request::Friends { pictures, .. } => *pictures,
        _ => None,
    }
}
