//! Answers that come in parts.

use super::{
    Blob,
    document::{Document, Under},
};
use crate::cache::core::{Answer, Checked, Event, Fetched, FriendsReply, Reply};

impl Document {
    /// Lets the world answer the `nth` effect, a request, now. All but its pictures arrives with so many of
    /// these, then one more, and the rest is on its way.
    pub(in crate::cache::core) fn arrive(&mut self, nth: usize, pictures: usize) {
        if matches!(self.under_way.get(nth), Some((_, Under::Fetch(..)))) {
            self.delay(nth);
        }
        let Some((id, Under::Answered(answer))) = self.under_way.get(nth) else {
            return;
        };
        if let Answer::Fetched(fetched) = answer.as_ref() {
            let (id, parts) = (*id, parts(fetched, pictures));
            parts.into_iter().for_each(|part| self.tell(Event::Arriving(id, part)));
        }
    }
}

/// What has arrived when so many pictures are here, and what when one more is.
fn parts(fetched: &Fetched<Blob>, pictures: usize) -> Vec<Fetched<Blob>> {
    let split = |mut renditions: Vec<Checked<Blob>>| {
        renditions.truncate(pictures + 1);
        let first = renditions.iter().take(pictures).cloned().collect();
        (first, renditions)
    };
    let (first, later) = match fetched.outcome.clone() {
        Ok(Reply::Pictures { entries, renditions }) => {
            let (renditions, later) = split(renditions);
            (Reply::Pictures { entries, renditions }, later)
        }
        Ok(Reply::Friends(Some(reply))) => {
            let (renditions, later) = split(reply.renditions);
            (Reply::Friends(Some(FriendsReply { renditions, ..reply })), later)
        }
        _ => return Vec::new(),
    };
    let part = |reply| Fetched { outcome: Ok(reply), event: None, ..fetched.clone() };
    let more = Reply::Pictures { entries: Vec::new(), renditions: later };
    vec![part(first), part(more)]
}
