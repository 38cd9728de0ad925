//! A world to drive the core in: a server that changes, layers that fail, answers that wait to be
//! delivered, and as many documents as a test wants on the same layers.

mod arrive;
mod at_once;
mod document;
mod live;
mod pictures;
mod renewals;
mod server;
mod sessions;
mod store;
mod taped;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use miniature_api::{ImageId, Size, UserId};

pub(super) use document::{Document, Under, account};
pub(super) use server::{Server, Weather};
pub(super) use sessions::{Jar, Token, account_of};
pub(super) use store::Store;

pub(super) use crate::cache::what_if::layers::Fault;
use crate::cache::{
    clock::{Now, Timestamp},
    core::Start,
    entry::{Bytes, Rendition},
    key::{RenditionKey, Wanted},
    what_if::layers,
};

pub(super) type Local = layers::Local<Blob>;
pub(super) type Durable = layers::Durable<Blob>;
pub(super) type Pictures = layers::Pictures<Blob>;

/// A handle to bytes that knows what they show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) image: ImageId,
    pub(super) size: Size,
    pub(super) decodes: bool,
}

impl Bytes for Blob {
    fn byte_len(&self) -> usize {
        self.size.px() as usize * 20
    }
}

pub(super) fn good(key: RenditionKey) -> Rendition<Blob> {
    let RenditionKey { image, size } = key;
    Rendition { key, content: Blob { image, size, decodes: true } }
}

/// Everything outside the documents.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) server: Server,
    pub(super) local: Local,
    pub(super) durable: Durable,
    /// Those of other accounts than ada.
    pub(super) others: BTreeMap<UserId, (Local, Durable)>,
    /// By account. All fare alike.
    pub(super) pictures: BTreeMap<UserId, Pictures>,
    pub(super) pictures_fault: Fault,
    pub(super) jar: Jar,
    pub(super) lines: live::Lines,
    wall: u64,
    running: Duration,
}

/// Everything outside, shared by documents.
pub(super) type World = Rc<RefCell<Outside>>;

impl Outside {
    /// A world in which the server knows so many users, each with a first picture.
    pub(super) fn with_users(count: usize) -> World {
        let mut outside = Self { wall: 1_800_000_000_000, ..Self::default() };
        (0..count).for_each(|index| outside.server.change(&user(index), true));
        outside.sign_in(&account(), None);
        outside.jar.identity.account = Some(account_of(&account()));
        Rc::new(RefCell::new(outside))
    }

    /// The storages of an account. All fare alike.
    pub(super) fn layers(&mut self, account: &UserId) -> (&mut Local, &mut Durable) {
        if *account == document::account() {
            return (&mut self.local, &mut self.durable);
        }
        let (local, durable) = self.others.entry(account.clone()).or_default();
        (local.fault, durable.fault) = (self.local.fault, self.durable.fault);
        (local, durable)
    }

    /// What a document that begins finds of an account.
    pub(super) fn start(&mut self, account: &UserId) -> Start {
        let has_picture_cache = !self.pictures(account).held.is_empty();
        Start { has_picture_cache, ..self.layers(account).0.start(account.clone()) }
    }

    /// The cache of pictures of an account.
    pub(super) fn pictures(&mut self, account: &UserId) -> &mut Pictures {
        let pictures = self.pictures.entry(account.clone()).or_default();
        pictures.fault = self.pictures_fault;
        pictures
    }

    /// The accounts of which anything is stored.
    pub(super) fn accounts(&self) -> Vec<UserId> {
        let others =
            self.others.iter().map(|(user, layers)| (user.clone(), (&layers.0, &layers.1)));
        let all = [(account(), (&self.local, &self.durable))].into_iter().chain(others);
        let held = all.filter(|(_, (local, durable))| !local.is_empty() || !durable.is_empty());
        let pictures = self.pictures.iter().filter(|(_, pictures)| !pictures.held.is_empty());
        let mut accounts: Vec<UserId> = held.map(|(user, _)| user).collect();
        accounts.extend(pictures.map(|(user, _)| user.clone()));
        accounts.dedup();
        accounts
    }

    pub(super) fn now(&self) -> Now {
        Now { running: self.running, wall: Timestamp(self.wall) }
    }

    pub(super) fn advance(&mut self, duration: Duration) {
        self.running += duration;
        self.server.running = self.running;
        self.jump(i64::try_from(duration.as_millis()).unwrap());
    }

    /// Someone sets the wall clock; no time passes.
    pub(super) fn jump(&mut self, millis: i64) {
        self.wall = self.wall.saturating_add_signed(millis);
    }
}

pub(super) fn user(index: usize) -> UserId {
    format!("user{index:02}").parse().unwrap()
}

pub(super) fn wanted(index: usize, size: Size) -> Wanted {
    Wanted { user: user(index), size }
}

/// The image that a user has at a revision of a lineage.
pub(super) fn image_of(user: &UserId, lineage: u8, revision: u32) -> ImageId {
    let mut bytes = [0; 16];
    for (byte, letter) in bytes.iter_mut().zip(user.as_str().bytes()) {
        *byte = letter;
    }
    bytes[11] = lineage;
    bytes[12..].copy_from_slice(&revision.to_be_bytes());
    ImageId::from_bytes(bytes)
}
