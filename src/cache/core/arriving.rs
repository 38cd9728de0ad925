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
                let rest = match entries.is_empty() {
                    true => self.more_arrives((id, &flight), size, sent, items, renditions),
                    false => self.batch_arrives(
                        (id, &flight),
                        size,
                        sent,
                        lineage,
                        (entries, renditions),
                    ),
                };
                self.flights.reduce(id, Task::Pictures { size, items: rest });
            }
            (Task::Document { users, brings: None, .. }, Reply::Friends(Some(reply))) => {
                self.release_confirmed(id, &users, None);
                self.page_arrives((id, &flight), sent, lineage, reply);
            }
            (
                Task::Document { key, users, brings: Some(size) },
                Reply::Pictures { renditions, .. },
            ) => {
                let items = users.into_iter().map(|user| Item { user, held: false }).collect();
                let rest = self.more_arrives((id, &flight), size, sent, items, renditions);
                let users = rest.into_iter().map(|item| item.user).collect();
                self.flights.reduce(id, Task::Document { key, users, brings: Some(size) });
            }
            _ => {}
        }
    }

    /// The records of a batch are here, and some pictures. Returns those of whom a picture is to come.
    fn batch_arrives(
        &mut self,
        (id, flight): (EffectId, &Flight),
        size: Size,
        sent: Moment,
        lineage: Lineage,
        (entries, renditions): (Vec<BatchEntry>, Vec<Checked<B>>),
    ) -> Vec<Item> {
        let Task::Pictures { items, .. } = flight.task.clone() else {
            return Vec::new();
        };
        let comes = |entry: &BatchEntry| match entry {
            BatchEntry::Found { record, hint: None } => record
                .image_id
                .is_some_and(|image| renditions.iter().all(|(other, _)| *other != image)),
            _ => false,
        };
        let (coming, entries): (Vec<BatchEntry>, Vec<BatchEntry>) =
            entries.into_iter().partition(comes);
        let is_here = |item: &Item| entries.iter().any(|entry| *user_of(entry) == item.user);
        let (here, rest): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_here);
        here.iter().for_each(|item| self.release_fetch(id, &item.user, size));
        self.pictures(flight, (size, here), sent, lineage, entries, renditions);
        for entry in coming {
            if let BatchEntry::Found { record, .. } = entry {
                let user = record.user_id.clone();
                self.learn_from_server(record, lineage, sent);
                self.people.change_known(&user, |person| person.still_fetches(id, size));
            }
        }
        rest
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

    /// More pictures of people whose records are here. Returns those of whom a picture is to come.
    fn more_arrives(
        &mut self,
        (id, flight): (EffectId, &Flight),
        size: Size,
        sent: Moment,
        items: Vec<Item>,
        renditions: Vec<Checked<B>>,
    ) -> Vec<Item> {
        let arrived = self.received(renditions);
        let took = self.time.now().since(flight.since.min(sent));
        let mut rest = Vec::new();
        for item in items {
            let user = &item.user;
            let image = self.people.get(user).and_then(|person| person.image());
            let Some((image, bytes)) =
                image.and_then(|image| Some((image, find(&arrived, image)?)))
            else {
                rest.push(item);
                continue;
            };
            let rendition = RenditionKey { image, size };
            self.release_confirmed(id, std::slice::from_ref(user), Some(size));
            match bytes {
                Some(bytes) => self.keep_bytes(user, rendition, bytes.clone()),
                None => self.refuse(user, size, sent),
            }
            let target = self.people.get(user).and_then(|person| person.target(size));
            if target.is_none_or(|target| !target.has_viewers()) {
                self.mark_unseen(user, rendition, took);
            }
            self.end_load(user, size, flight);
        }
        rest
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

    /// What is known now came with this request, which will bring the picture, too.
    fn still_fetches(&mut self, id: EffectId, size: Size) {
        let known = self.version();
        let fetching = self.target_mut(size).and_then(|target| target.fetching.as_mut());
        if let Some(fetching) = fetching.filter(|fetching| fetching.id == id) {
            fetching.known = known;
        }
    }
}
