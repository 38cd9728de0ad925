//! Answers of which a part is here.

use miniature_api::{BatchEntry, Lineage, Size, UserId};

use super::{
    Checked, Core, Fetched, FriendsReply, Reply,
    effect::EffectId,
    fetched::{find, kind_of, user_of},
    flights::{Confirming, Flight, Item, Task},
    person::Person,
    targets::Fetching,
};
use crate::cache::{clock::Moment, entry::Bytes, key::RenditionKey};

impl<B: Bytes> Core<B> {
    /// Takes in a part of an answer. What is wrong with it, its end will say.
    pub(super) fn arriving(&mut self, id: EffectId, part: Fetched<B>) {
        let Some(flight) = self.flights.get(id).cloned() else {
            return;
        };
        let Fetched { lineage, account, asked, event: _, outcome } = part;
        let sent = asked.map_or(flight.since, Moment::of).min(flight.since);
        let lineage = lineage.filter(|_| account.is_some());
        let outcome = self.of_account(&flight.task, account, outcome);
        let Ok((reply, Some(lineage))) = self.judge(lineage, sent, outcome) else {
            return;
        };
        self.is_there(sent);
        self.kinds[kind_of(&flight.task) as usize].succeed(sent);
        match (flight.task.clone(), reply) {
            (Task::Pictures { size, items }, Reply::Pictures { entries, renditions }) => {
                let is_here = |item: &Item| entries.iter().any(|e| *user_of(e) == item.user);
                let (here, rest) = items.into_iter().partition(is_here);
                self.flights.reduce(id, Task::Pictures { size, items: rest });
                let here: Vec<Item> = here;
                here.iter().for_each(|item| self.release_fetch(id, &item.user, size));
                self.pictures(&flight, (size, here), sent, lineage, entries, renditions);
            }
            (Task::Document { users, brings: None, .. }, Reply::Friends(Some(reply))) => {
                self.release_confirmed(id, &users, None);
                self.page_arrives((id, &flight), sent, lineage, reply);
            }
            (
                Task::Document { brings: Some(size), .. },
                Reply::Pictures { entries, renditions },
            ) => {
                self.more_of_page((id, &flight), size, sent, &entries, renditions);
            }
            _ => {}
        }
    }

    /// A page of friends is here. Some of its pictures may still be on their way.
    fn page_arrives(
        &mut self,
        (id, flight): (EffectId, &Flight),
        sent: Moment,
        lineage: Lineage,
        reply: FriendsReply<B>,
    ) {
        let Task::Document { key, .. } = flight.task.clone() else {
            return;
        };
        let pictures = reply.pictures;
        let listed = reply.page.friends.iter().filter(|friend| friend.picture.image_id.is_some());
        let listed: Vec<UserId> = listed.map(|friend| friend.user_id.clone()).collect();
        self.friends_page(flight, key.clone(), sent, lineage, reply);
        let Some(size) = pictures else {
            return;
        };
        let lacks = |user: &UserId| self.people.get(user).is_some_and(|p| !p.answers(size));
        let users: Vec<UserId> = listed.into_iter().filter(lacks).collect();
        let confirming = Confirming { id, since: flight.since, brings: Some(size) };
        for user in &users {
            self.people.change_known(user, |person| person.is_told_by(confirming));
        }
        self.flights.reduce(id, Task::Document { key, users, brings: Some(size) });
    }

    /// More pictures of a page that is here already.
    fn more_of_page(
        &mut self,
        (id, flight): (EffectId, &Flight),
        size: Size,
        sent: Moment,
        entries: &[BatchEntry],
        renditions: Vec<Checked<B>>,
    ) {
        let Task::Document { key, users, brings } = flight.task.clone() else {
            return;
        };
        let arrived = self.received(renditions);
        let took = self.time.now().since(flight.since.min(sent));
        let (here, rest): (Vec<UserId>, Vec<UserId>) =
            users.into_iter().partition(|user| entries.iter().any(|e| user_of(e) == user));
        self.release_confirmed(id, &here, brings);
        self.flights.reduce(id, Task::Document { key, users: rest, brings });
        for entry in entries {
            let BatchEntry::Found { record, .. } = entry else {
                continue;
            };
            let user = &record.user_id;
            if let Some(image) = record.image_id {
                let rendition = RenditionKey { image, size };
                match find(&arrived, image) {
                    Some(Some(bytes)) => self.keep_bytes(user, rendition, bytes.clone()),
                    Some(None) => self.refuse(user, size, sent),
                    None => {}
                }
                let target = self.people.get(user).and_then(|person| person.target(size));
                if target.is_none_or(|target| !target.has_viewers()) {
                    self.mark_unseen(user, rendition, took);
                }
            }
            self.end_load(user, size, flight);
        }
    }
}

impl<B: Bytes> Person<B> {
    /// A request for a document will say whether what is known is still so, and may bring the picture.
    pub(super) fn is_told_by(&mut self, confirming: Confirming) {
        let Confirming { id, since, brings } = confirming;
        self.confirming = self.confirming.or(Some((id, since)));
        let known = self.version();
        let target = brings.and_then(|size| self.target_mut(size));
        if let Some(target) = target.filter(|target| target.fetching.is_none()) {
            target.fetching = Some(Fetching { id, known, sent: since });
        }
    }
}
