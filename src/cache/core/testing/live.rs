//! The lock, the channel between documents, and the stream of events.

use std::time::Duration;

use miniature_api::{Change, UserId};

use super::{Document, Server, Weather, document::Under};
use crate::cache::{
    core::{Answer, EffectId, Event, LiveNote, Refusal, StreamBody, StreamEvent},
    layer::OriginError,
};

/// How often the server says that the line lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What documents of one browser share.
#[derive(Debug, Default)]
pub(in crate::cache::core) struct Lines {
    /// Those who asked for the lock of an account; the first holds it.
    queue: Vec<(UserId, usize, EffectId)>,
    posts: Vec<(UserId, usize, Post)>,
    documents: usize,
    /// Whether the page has no secure context.
    pub(in crate::cache::core) without_locks: bool,
    /// How often a stream was opened.
    pub(in crate::cache::core) opened: usize,
}

#[derive(Clone, Debug)]
enum Post {
    Heard(Option<StreamEvent>),
    Waits,
}

impl Lines {
    /// A number for a new document, and the posts that it does not hear.
    pub(super) fn join(&mut self) -> (usize, usize) {
        self.documents += 1;
        (self.documents, self.posts.len())
    }

    pub(super) fn leave(&mut self, number: usize) {
        self.queue.retain(|(_, other, _)| *other != number);
    }

    fn ask(&mut self, account: UserId, number: usize, id: EffectId, steal: bool) {
        let holder = self.queue.iter().position(|(of, ..)| *of == account);
        match holder.filter(|_| steal) {
            Some(holder) => self.queue[holder] = (account, number, id),
            None => self.queue.push((account, number, id)),
        }
    }

    pub(super) fn release(&mut self, id: EffectId, number: usize) {
        self.queue.retain(|(_, other, of)| (*other, *of) != (number, id));
    }

    fn holds(&self, account: &UserId, number: usize, id: EffectId) -> bool {
        let holder = self.queue.iter().find(|(of, ..)| of == account);
        holder.is_some_and(|(_, other, of)| (*other, *of) == (number, id))
    }
}

/// How far a stream has come.
#[derive(Clone, Debug)]
pub(in crate::cache::core) struct Line {
    last: Option<Box<str>>,
    /// The last event sent, and when; none before it was opened.
    at: Option<(usize, Duration)>,
    /// Of which history the server was. One that is restored begins anew.
    history: u8,
}

impl Line {
    pub(super) fn after(last: Option<Box<str>>) -> Self {
        Self { last, at: None, history: 0 }
    }
}

impl Server {
    pub(in crate::cache::core) fn tell(&mut self, change: Change) {
        self.events.push((self.history(), change));
    }

    fn named(&self, count: usize, body: StreamBody) -> StreamEvent {
        StreamEvent { lineage: self.lineage(), id: Some(format!("1-{count}").into()), body }
    }

    /// The name of the last event.
    pub(in crate::cache::core) fn last_event(&self) -> LiveNote {
        LiveNote { lineage: self.lineage(), id: format!("1-{}", self.events.len()).into() }
    }

    /// What a stream that resumes after an event begins with, and the last of it.
    fn begin(&self, last: Option<&str>) -> Vec<StreamEvent> {
        let count = self.events.len();
        let end = self.named(count, StreamBody::UpTo);
        let seen = last.and_then(|last| last.strip_prefix("1-")?.parse::<usize>().ok());
        let of_now = |(history, _): &(u8, Change)| *history == self.history();
        match (last, seen) {
            (None, _) => vec![end],
            (_, Some(seen))
                if seen <= count
                    && count - seen <= self.events_kept
                    && self.events[seen..].iter().all(of_now) =>
            {
                self.since(seen).chain([end]).collect()
            }
            _ => vec![self.named(count, StreamBody::Reset), end],
        }
    }

    /// The last event.
    pub(in crate::cache::core) fn event_for_tests(&self) -> StreamEvent {
        self.since(self.events.len() - 1).next().unwrap()
    }

    fn since(&self, seen: usize) -> impl Iterator<Item = StreamEvent> {
        let later = self.events.iter().enumerate().skip(seen);
        later.map(|(at, (_, change))| self.named(at + 1, StreamBody::Change(change.clone())))
    }
}

impl Document {
    pub(super) fn ask_for_lock(&mut self, id: EffectId, steal: bool) {
        let (account, number) = (self.own_account(), self.number);
        self.world.borrow_mut().lines.ask(account, number, id, steal);
    }

    fn post(&self, post: Post) {
        let (account, number) = (self.own_account(), self.number);
        self.world.borrow_mut().lines.posts.push((account, number, post));
    }

    pub(super) fn announce_wait(&self) {
        self.post(Post::Waits);
    }

    /// Hears what other documents have posted, once all of the program is here. Returns whether there was
    /// anything.
    pub(in crate::cache::core) fn overhear(&mut self) -> bool {
        if self.core.writes_wait {
            return false;
        }
        let posts = {
            let lines = &self.world.borrow().lines;
            lines.posts[self.heard..].to_vec()
        };
        self.heard += posts.len();
        let account = self.own_account();
        let others = posts.into_iter().filter(|(of, by, _)| *of == account && *by != self.number);
        let posts: Vec<Post> = others.map(|(.., post)| post).collect();
        for post in &posts {
            self.tell(match post.clone() {
                Post::Heard(event) => Event::Overheard(event),
                Post::Waits => Event::LockAwaited,
            });
        }
        !posts.is_empty()
    }

    /// The heartbeats of the time that has passed have come, where the server is well.
    pub(in crate::cache::core) fn breathe(&mut self) {
        if self.world.borrow().server.weather != Weather::Fine {
            return;
        }
        let open = |(id, under): &(EffectId, Under)| match under {
            Under::Stream(line) if line.at.is_some() => Some(*id),
            _ => None,
        };
        if let Some(id) = self.under_way.iter().find_map(open) {
            self.post(Post::Heard(None));
            self.tell(Event::Progressed(id, 0));
        }
    }

    pub(super) fn deliver_lock(&mut self, nth: usize, id: EffectId, granted: bool) -> bool {
        let (holds, without) = {
            let lines = &self.world.borrow().lines;
            (lines.holds(&self.own_account(), self.number, id), lines.without_locks)
        };
        if without || (granted && !holds) {
            self.world.borrow_mut().lines.release(id, self.number);
            self.under_way.remove(nth);
            self.tell(Event::Answer(id, Answer::Unlocked { has_locks: !without }));
            return true;
        }
        if holds && !granted {
            self.under_way[nth].1 = Under::Lock { granted: true };
            self.tell(Event::Locked(id));
        }
        holds && !granted
    }

    /// Sends what the server has for the stream. Returns whether there was anything.
    pub(super) fn deliver_stream(&mut self, nth: usize, id: EffectId, line: Line) -> bool {
        let (weather, history, asks) = {
            let (server, cookie) = (&self.world.borrow().server, self.cookie_of(id));
            (server.weather, server.history(), server.sessions.user_of(cookie).cloned())
        };
        let refusal = match (weather, &asks) {
            (Weather::Silent, _) => return false,
            (Weather::Unreachable, _) => Some(OriginError::Unreachable.into()),
            (Weather::Status(status), _) => Some(OriginError::Status(status).into()),
            (Weather::Busy(seconds), _) => {
                let retry_after = Some(Duration::from_secs(seconds));
                Some(Refusal { error: OriginError::Status(503), retry_after })
            }
            (_, None) => Some(OriginError::SignedOut.into()),
            _ if line.at.is_some() && line.history != history => {
                Some(OriginError::Unreachable.into())
            }
            (_, Some(_)) => None,
        };
        let (Some(asks), None) = (asks, refusal) else {
            self.under_way.remove(nth);
            let refusal = refusal.unwrap_or(OriginError::SignedOut.into());
            self.tell(Event::Answer(id, Answer::Hushed(refusal)));
            return true;
        };
        let now = self.now().running;
        let (events, count) = {
            let world = &mut *self.world.borrow_mut();
            world.lines.opened += usize::from(line.at.is_none());
            let server = &world.server;
            let events = match line.at {
                None => server.begin(line.last.as_deref()),
                Some((seen, _)) => server.since(seen).collect(),
            };
            (events, server.events.len())
        };
        let is_due = line.at.is_some_and(|(_, sent)| now - sent >= HEARTBEAT);
        if events.is_empty() && !is_due {
            return false;
        }
        self.under_way[nth].1 = Under::Stream(Line { at: Some((count, now)), history, ..line });
        if events.is_empty() {
            self.post(Post::Heard(None));
            self.tell(Event::Progressed(id, 0));
        }
        for event in events {
            self.post(Post::Heard(Some(event.clone())));
            self.tell(Event::Streamed(id, asks.clone(), event));
        }
        true
    }
}
