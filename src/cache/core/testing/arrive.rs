//! Answers that come in parts.

use miniature_api::{BatchEntry, ImageId};

use super::{
    Blob,
    document::{Document, Under},
};
use crate::cache::core::{Answer, Checked, Event, Fetched, FriendsReply, Reply};

impl Document {
    /// Lets the world answer the `nth` effect, a request, now. What it says of the first `people` arrives,
    /// and the rest is on its way.
    pub(in crate::cache::core) fn arrive(&mut self, nth: usize, people: usize) {
        if matches!(self.under_way.get(nth), Some((_, Under::Fetch(..)))) {
            self.delay(nth);
        }
        let Some((id, Under::Answered(answer))) = self.under_way.get(nth) else {
            return;
        };
        if let Answer::Fetched(fetched) = answer.as_ref() {
            let (id, parts) = (*id, parts(fetched, people));
            parts.into_iter().for_each(|part| self.tell(Event::Arriving(id, part)));
        }
    }
}

/// What the answer says of the first `people`: a page comes before its pictures.
fn parts(fetched: &Fetched<Blob>, people: usize) -> Vec<Fetched<Blob>> {
    let Ok(reply) = fetched.outcome.clone() else {
        return Vec::new();
    };
    let replies = match reply {
        Reply::Pictures { entries, renditions } => vec![first(entries, renditions, people)],
        Reply::Friends(Some(reply)) => {
            let FriendsReply { page, etag, pictures, renditions } = reply;
            let entries = page
                .friends
                .iter()
                .map(|friend| BatchEntry::Found { record: friend.picture.clone(), hint: None });
            let more = first(entries.collect(), renditions, people);
            let bare = FriendsReply { page, etag, pictures, renditions: Vec::new() };
            vec![Reply::Friends(Some(bare)), more]
        }
        _ => Vec::new(),
    };
    let part = |reply| Fetched { outcome: Ok(reply), event: None, ..fetched.clone() };
    replies.into_iter().map(part).collect()
}

fn first(
    mut entries: Vec<BatchEntry>,
    mut renditions: Vec<Checked<Blob>>,
    people: usize,
) -> Reply<Blob> {
    entries.truncate(people);
    let images: Vec<ImageId> = entries.iter().filter_map(image_of).collect();
    renditions.retain(|(image, _)| images.contains(image));
    // Of those without bytes the end speaks.
    let here = |entry: &BatchEntry| {
        image_of(entry).is_none_or(|image| renditions.iter().any(|(other, _)| *other == image))
    };
    entries.retain(here);
    Reply::Pictures { entries, renditions }
}

fn image_of(entry: &BatchEntry) -> Option<ImageId> {
    match entry {
        BatchEntry::Found { record, .. } => record.image_id,
        BatchEntry::Missing { .. } => None,
    }
}
