//! Fakes for the pipeline: a clock that tests move, shelves that fail, and an API that answers
//! when told to.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::pending,
    rc::Rc,
    time::Duration,
};

use futures_channel::oneshot;
use futures_executor::{LocalPool, LocalSpawner};
use futures_util::{future::LocalBoxFuture, task::LocalSpawnExt};
use miniature_api::{BatchEntry, BatchUser, ImageId, NotFound, Record, Revision, Size, UserId};

use super::{
    clock::{Clock, Timestamp},
    entry::{CheckedRecord, Content, Entry, Found, Held, Rendition},
    event::CacheEvent,
    key::{Key, Lookup, RenditionKey, Source},
    layer::{BatchAnswer, CacheLayer, InstantLayer, LayerError, Origin, OriginError},
    pipeline::{Environment, Pipeline},
    policy::Policy,
    raster::RasterType,
};

/// Time that moves when the test says so.
#[derive(Debug, Default)]
pub(crate) struct FakeClock {
    wall: Cell<u64>,
    elapsed: Cell<Duration>,
    sleepers: RefCell<Vec<(Duration, oneshot::Sender<()>)>>,
}

impl FakeClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.jump(i64::try_from(duration.as_millis()).unwrap());
        self.elapsed.set(self.elapsed.get() + duration);
        let due = |(deadline, _): &mut (Duration, _)| *deadline <= self.elapsed.get();
        for (_, wake) in self.sleepers.borrow_mut().extract_if(.., due) {
            let _ = wake.send(());
        }
    }

    /// Someone sets the wall clock; no time passes.
    pub(crate) fn jump(&self, millis: i64) {
        self.wall.set(self.wall.get().saturating_add_signed(millis));
    }
}

impl Clock for Rc<FakeClock> {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.get())
    }

    fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    async fn sleep(&self, duration: Duration) {
        let (wake, woken) = oneshot::channel();
        self.sleepers.borrow_mut().push((self.elapsed.get() + duration, wake));
        let _ = woken.await;
    }
}

/// How a fake shelf or the fake API behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    Denied,
    Failing,
    Disconnected,
    Hanging,
    Full,
    /// Forgets every other entry that it is given.
    Lossy,
}

/// What a shelf holds under a user: the record, the preview, and when it was last used.
pub(crate) type UserRow = (CheckedRecord, Option<Rendition>, Timestamp);

/// A shelf in memory, outliving the documents that use it.
#[derive(Debug)]
pub(crate) struct FakeShelf<const INSTANT: bool> {
    pub(crate) users: RefCell<BTreeMap<UserId, UserRow>>,
    pub(crate) renditions: RefCell<BTreeMap<RenditionKey, (Rendition, Timestamp)>>,
    pub(crate) fault: Cell<Fault>,
    /// How many calls of `get_many`, and of `put_many` in a row that found the disk full.
    pub(crate) reads: Cell<usize>,
    pub(crate) full_in_a_row: Cell<usize>,
    given: Cell<usize>,
}

pub(crate) type FakeInstant = FakeShelf<true>;
pub(crate) type FakeDurable = FakeShelf<false>;

impl<const INSTANT: bool> Default for FakeShelf<INSTANT> {
    fn default() -> Self {
        Self {
            users: RefCell::default(),
            renditions: RefCell::default(),
            fault: Cell::default(),
            reads: Cell::new(0),
            full_in_a_row: Cell::new(0),
            given: Cell::new(0),
        }
    }
}

impl<const INSTANT: bool> FakeShelf<INSTANT> {
    fn check(&self) -> Result<(), LayerError> {
        match self.fault.get() {
            Fault::None | Fault::Full | Fault::Lossy | Fault::Hanging => Ok(()),
            Fault::Denied => Err(LayerError::Unavailable),
            Fault::Failing => Err(LayerError::Failed),
            Fault::Disconnected => Err(LayerError::Disconnected),
        }
    }

    async fn answer(&self) -> Result<(), LayerError> {
        if self.fault.get() == Fault::Hanging && !INSTANT {
            pending::<()>().await;
        }
        self.check()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.borrow().is_empty() && self.renditions.borrow().is_empty()
    }

    fn find(&self, lookup: &Lookup) -> Found {
        let users = self.users.borrow();
        let user = users.get(&lookup.wanted.user);
        let record = user.map(|(record, ..)| record.clone());
        if INSTANT {
            let rendition = user.and_then(|(_, preview, _)| preview.clone());
            return Found { record, rendition };
        }
        let image = lookup.image.or(record.as_ref().and_then(|r| r.record.image_id));
        let key = image.map(|image| RenditionKey { image, size: lookup.wanted.size });
        let renditions = self.renditions.borrow();
        let rendition = key.and_then(|key| renditions.get(&key)).map(|(r, _)| r.clone());
        Found { record, rendition }
    }

    fn put(&self, entry: &Entry, now: Timestamp) {
        let user = entry.record.record.user_id.clone();
        let mut users = self.users.borrow_mut();
        let kept = users.get(&user).and_then(|(_, preview, _)| preview.clone());
        let image = entry.record.record.image_id;
        let preview = entry.rendition.clone().or(kept).filter(|r| Some(r.image()) == image);
        if INSTANT {
            users.insert(user, (entry.record.clone(), preview, now));
            return;
        }
        users.insert(user, (entry.record.clone(), None, now));
        if let Some(rendition) = &entry.rendition {
            self.renditions.borrow_mut().insert(rendition.key, (rendition.clone(), now));
        }
    }
}

impl<const INSTANT: bool> CacheLayer for Rc<FakeShelf<INSTANT>> {
    const SOURCE: Source = if INSTANT { Source::LocalStorage } else { Source::IndexedDb };

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        self.reads.set(self.reads.get() + 1);
        self.answer().await?;
        Ok(lookups.iter().map(|lookup| self.find(lookup)).collect())
    }

    async fn put_many(&self, entries: &[Entry], now: Timestamp) -> Result<(), LayerError> {
        self.answer().await?;
        if self.fault.get() == Fault::Full {
            self.full_in_a_row.set(self.full_in_a_row.get() + 1);
            return Err(LayerError::Full);
        }
        for entry in entries {
            self.given.set(self.given.get() + 1);
            if self.fault.get() != Fault::Lossy || self.given.get().is_multiple_of(2) {
                self.put(entry, now);
            }
        }
        Ok(())
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<(), LayerError> {
        self.answer().await?;
        for key in keys {
            match key {
                Key::User(user) => drop(self.users.borrow_mut().remove(user)),
                Key::Rendition(key) => drop(self.renditions.borrow_mut().remove(key)),
            }
        }
        Ok(())
    }

    async fn touch_many(&self, keys: &[Key], now: Timestamp) -> Result<(), LayerError> {
        self.answer().await?;
        for key in keys {
            match key {
                Key::User(user) => {
                    self.users.borrow_mut().entry(user.clone()).and_modify(|held| held.2 = now);
                }
                Key::Rendition(key) => {
                    self.renditions.borrow_mut().entry(*key).and_modify(|held| held.1 = now);
                }
            }
        }
        Ok(())
    }

    async fn inventory(&self) -> Result<Vec<Held>, LayerError> {
        self.answer().await?;
        let users = self.users.borrow();
        let users = users.iter().map(|(user, (_, preview, used_at))| Held {
            key: Key::User(user.clone()),
            bytes: 100 + preview.as_ref().map_or(0, |r| r.content.len() as u64),
            used_at: *used_at,
        });
        let renditions = self.renditions.borrow();
        let renditions = renditions.iter().map(|(key, (rendition, used_at))| Held {
            key: Key::Rendition(*key),
            bytes: rendition.content.len() as u64,
            used_at: *used_at,
        });
        Ok(users.chain(renditions).collect())
    }

    async fn clear(&self) -> Result<(), LayerError> {
        // A denied storage holds nothing that could be read; the others forget even while hanging:
        // the browser carries out what it was asked for after we stopped waiting.
        self.users.borrow_mut().clear();
        self.renditions.borrow_mut().clear();
        self.answer().await
    }
}

impl InstantLayer for Rc<FakeInstant> {
    fn peek(&self, user: &UserId) -> Result<Found, LayerError> {
        self.check()?;
        let users = self.users.borrow();
        let held = users.get(user);
        Ok(Found {
            record: held.map(|(record, ..)| record.clone()),
            rendition: held.and_then(|(_, preview, _)| preview.clone()),
        })
    }
}

/// What the fake API sends instead of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Weather {
    #[default]
    Fine,
    Unreachable,
    Error,
    /// Never answers.
    Silent,
    /// Markup where pictures should be.
    ErrorPages,
    /// Pictures of another size.
    WrongSize,
    /// Containers that are whole, with pixels that do not decode.
    Undecodable,
    /// Records of pictures, without the pictures.
    NoBytes,
}

/// A request that the fake API has received.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) size: Size,
    pub(crate) users: Vec<BatchUser>,
    answer: Result<BatchAnswer, OriginError>,
    send: oneshot::Sender<Result<BatchAnswer, OriginError>>,
}

/// The truth, and requests on their way.
#[derive(Debug, Default)]
pub(crate) struct FakeOrigin {
    pub(crate) truth: RefCell<BTreeMap<UserId, Record>>,
    pub(crate) weather: Cell<Weather>,
    /// Whether answers wait for [`FakeOrigin::release`].
    pub(crate) slow: Cell<bool>,
    pub(crate) calls: RefCell<Vec<Call>>,
    pub(crate) requests: Cell<usize>,
    pub(crate) sent_bytes: Cell<u64>,
}

impl FakeOrigin {
    /// Gives a user their next picture, or takes it away.
    pub(crate) fn change(&self, user: &UserId, picture: bool) {
        let mut truth = self.truth.borrow_mut();
        let revision = truth.get(user).map_or(1, |record| record.revision.0 + 1);
        let image_id = picture.then(|| image_of(user, revision));
        let user_id = user.clone();
        let record = Record { user_id, revision: Revision(revision), image_id, thumbhash: None };
        truth.insert(user.clone(), record);
    }

    /// Sends the answer to the `nth` waiting request, whichever came first.
    pub(crate) fn release(&self, nth: usize) {
        self.forget_cancelled();
        let mut calls = self.calls.borrow_mut();
        if !calls.is_empty() {
            let nth = nth % calls.len();
            let call = calls.remove(nth);
            let _ = call.send.send(call.answer);
        }
    }

    /// Drops the requests that nobody waits for any more.
    pub(crate) fn forget_cancelled(&self) {
        self.calls.borrow_mut().retain(|call| !call.send.is_canceled());
    }

    fn answer(&self, size: Size, users: &[BatchUser]) -> Result<BatchAnswer, OriginError> {
        match self.weather.get() {
            Weather::Unreachable => return Err(OriginError::Unreachable),
            Weather::Error => return Err(OriginError::Status(500)),
            Weather::Silent
            | Weather::Fine
            | Weather::ErrorPages
            | Weather::WrongSize
            | Weather::Undecodable
            | Weather::NoBytes => {}
        }
        let mut answer = BatchAnswer::default();
        for asked in users {
            let truth = self.truth.borrow();
            let Some(record) = truth.get(&asked.user_id) else {
                let (user_id, error) = (asked.user_id.clone(), NotFound::NotFound);
                answer.entries.push(BatchEntry::Missing { user_id, error });
                continue;
            };
            answer.entries.push(BatchEntry::Found(record.clone()));
            let newer = asked.held.is_none_or(|held| held < record.revision);
            if let Some(image) = record.image_id.filter(|_| newer) {
                answer.renditions.extend(self.bytes(image, size).map(|bytes| (image, bytes)));
            }
        }
        let sent: usize = answer.renditions.iter().map(|(_, bytes)| bytes.len()).sum();
        self.sent_bytes.set(self.sent_bytes.get() + sent as u64);
        Ok(answer)
    }

    fn bytes(&self, image: ImageId, size: Size) -> Option<Rc<[u8]>> {
        match self.weather.get() {
            Weather::NoBytes => None,
            Weather::ErrorPages => Some(b"<html>oops</html>".as_slice().into()),
            Weather::WrongSize => {
                Some(webp(image, Size::ALL[usize::from(size == Size::S64)], true))
            }
            Weather::Undecodable => Some(webp(image, size, false)),
            _ => Some(webp(image, size, true)),
        }
    }
}

impl Origin for Rc<FakeOrigin> {
    async fn batch(&self, size: Size, users: &[BatchUser]) -> Result<BatchAnswer, OriginError> {
        self.requests.set(self.requests.get() + 1);
        let answer = self.answer(size, users);
        if !self.slow.get() && self.weather.get() != Weather::Silent {
            return answer;
        }
        let (send, received) = oneshot::channel();
        let users = users.to_vec();
        self.calls.borrow_mut().push(Call { size, users, answer, send });
        received.await.unwrap_or(Err(OriginError::Unreachable))
    }

    async fn decodes(&self, rendition: &Rendition) -> bool {
        decodes(rendition)
    }
}

/// The image that a user has at a revision.
pub(crate) fn image_of(user: &UserId, revision: u32) -> ImageId {
    let mut bytes = [0; 16];
    for (byte, letter) in bytes.iter_mut().zip(user.as_str().bytes()) {
        *byte = letter;
    }
    bytes[12..].copy_from_slice(&revision.to_be_bytes());
    ImageId::from_bytes(bytes)
}

/// A container whose headers say the size, which carries the image's id as pixels.
pub(crate) fn webp(image: ImageId, size: Size, decodable: bool) -> Rc<[u8]> {
    let edge = size.px() - 1;
    let mut payload = vec![0x2f];
    payload.extend((edge | edge << 14).to_le_bytes());
    payload.extend(image.to_string().bytes());
    payload.push(u8::from(decodable));
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((u32::try_from(payload.len()).unwrap() + 12).to_le_bytes());
    bytes.extend(b"WEBPVP8L");
    bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    bytes.extend(payload);
    bytes.into()
}

pub(crate) fn decodes(rendition: &Rendition) -> bool {
    rendition.content == good_content(rendition.key)
}

pub(crate) fn good_content(key: RenditionKey) -> Content {
    Content::Bytes(RasterType::Webp, webp(key.image, key.size, true))
}

/// Everything around a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) clock: Rc<FakeClock>,
    pub(crate) instant: Rc<FakeInstant>,
    pub(crate) durable: Rc<FakeDurable>,
    pub(crate) origin: Rc<FakeOrigin>,
    pub(crate) events: Rc<RefCell<Vec<CacheEvent>>>,
    spawner: LocalSpawner,
}

impl World {
    pub(crate) fn new(pool: &LocalPool) -> Self {
        let clock = Rc::new(FakeClock::default());
        clock.wall.set(1_800_000_000_000);
        Self {
            clock,
            instant: Rc::default(),
            durable: Rc::default(),
            origin: Rc::default(),
            events: Rc::default(),
            spawner: pool.spawner(),
        }
    }

    /// Begins a new document: its tasks run on this pool.
    pub(crate) fn attach(&mut self, pool: &LocalPool) {
        self.spawner = pool.spawner();
    }

    pub(crate) fn pipeline(&self, policy: &Policy) -> Rc<Pipeline<Self>> {
        Pipeline::new(self.clone(), policy.clone())
    }
}

impl Environment for World {
    type Instant = Rc<FakeInstant>;
    type Durable = Rc<FakeDurable>;
    type Origin = Rc<FakeOrigin>;
    type Clock = Rc<FakeClock>;

    fn instant(&self) -> &Self::Instant {
        &self.instant
    }

    fn durable(&self) -> &Self::Durable {
        &self.durable
    }

    fn origin(&self) -> &Self::Origin {
        &self.origin
    }

    fn clock(&self) -> &Self::Clock {
        &self.clock
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.spawner.spawn_local(task).unwrap();
    }

    fn spawn_idle(&self, task: LocalBoxFuture<'static, ()>) {
        self.spawn(task);
    }

    fn changed(&self, _user: &UserId) {}

    fn happened(&self, event: CacheEvent) {
        self.events.borrow_mut().push(event);
    }
}
