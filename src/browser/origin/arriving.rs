//! Answers that are shown as they arrive.

use std::{fmt, time::Duration};

use miniature_api::{
    BatchEntry, FRIENDS_PART, FriendsPage, ImageId, RECORDS_PART, Size, multipart,
};

use super::{
    exchange::{Exchange, read_json},
    reply::{Parts, fetched, read_entries},
};
use crate::{
    browser::clock,
    cache::{
        core::{Fetched, FriendsReply, Reply, Request},
        entry::Content,
    },
};

/// Who reads an answer.
pub struct Reader<'a> {
    /// The most bytes that a rendition may have.
    pub limit: usize,
    /// How often what has arrived is handed out.
    pub part_every: Duration,
    /// Called with 0 when the headers are here, then with the length of each piece of the body.
    pub progressed: &'a dyn Fn(u64),
    /// Called with what an answer says of some people while the rest is on its way.
    pub arriving: &'a dyn Fn(Fetched<Content>),
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A body that grows.
pub(super) struct Arriving<'a> {
    answer: &'a Exchange,
    reader: &'a Reader<'a>,
    asked: Option<Duration>,
    /// The name of its JSON, and the size of the pictures that follow; none if none do.
    expected: Option<(&'static str, Size)>,
    /// When a part was handed out last.
    last: Duration,
    page: Option<FriendsPage>,
    /// Of whom the answer has said nothing yet.
    waiting: Option<Vec<BatchEntry>>,
    told: Vec<ImageId>,
}

impl<'a> Arriving<'a> {
    pub(super) fn new(
        request: &Request,
        answer: &'a Exchange,
        reader: &'a Reader<'a>,
        asked: Option<Duration>,
    ) -> Self {
        let expected = match request {
            Request::Pictures { size, .. } => Some((RECORDS_PART, *size)),
            Request::Friends { pictures, .. } => pictures.map(|size| (FRIENDS_PART, size)),
            _ => None,
        };
        let last = clock::now().running;
        Self { answer, reader, asked, expected, last, page: None, waiting: None, told: Vec::new() }
    }

    /// The images that were handed out.
    pub(super) fn told(&self) -> &[ImageId] {
        &self.told
    }

    pub(super) fn grown(&mut self, body: &[u8], more: u64) {
        (self.reader.progressed)(more);
        let now = clock::now().running;
        if now.saturating_sub(self.last) < self.reader.part_every {
            return;
        }
        self.last = now;
        // What is wrong with it, its end will say.
        for reply in self.part(body).unwrap_or_default() {
            (self.reader.arriving)(fetched(self.answer, self.asked, Ok(reply)));
        }
    }

    /// What has come since the last part.
    fn part(&mut self, body: &[u8]) -> Option<Vec<Reply<Content>>> {
        let (json_part, size) = self.expected?;
        let content_type = self.answer.header("content-type")?;
        let parts = multipart::arrived(&content_type, body).ok()?;
        let parts = Parts::of(parts, json_part).ok()?.without(&self.told);
        let mut replies = Vec::new();
        if self.waiting.is_none() {
            self.waiting = Some(self.people(parts.json, json_part)?);
            let page = self.page.take();
            let page = page.map(|page| FriendsReply {
                page,
                etag: self.answer.header("etag").map(Into::into),
                pictures: Some(size),
                renditions: Vec::new(),
            });
            replies.extend(page.map(|page| Reply::Friends(Some(page))));
        }
        let is_here = |entry: &mut BatchEntry| match entry {
            BatchEntry::Found { record, .. } => record
                .image_id
                .is_some_and(|image| parts.images.iter().any(|(other, _)| *other == image)),
            BatchEntry::Missing { .. } => false,
        };
        let entries: Vec<BatchEntry> = self.waiting.as_mut()?.extract_if(.., is_here).collect();
        if !entries.is_empty() {
            self.told.extend(parts.images.iter().map(|(image, _)| *image));
            let renditions = parts.checked(size, self.reader.limit);
            replies.push(Reply::Pictures { entries, renditions });
        }
        Some(replies)
    }

    /// Of whom the answer will say something.
    fn people(&mut self, json: &[u8], json_part: &str) -> Option<Vec<BatchEntry>> {
        if json_part == RECORDS_PART {
            return read_entries(json).ok();
        }
        let page: FriendsPage = read_json(json).ok()?;
        let entry = |record| BatchEntry::Found { record, hint: None };
        let entries = page.friends.iter().map(|friend| entry(friend.picture.clone())).collect();
        self.page = Some(page);
        Some(entries)
    }
}
