//! The last look: the API, in one request per 50 users.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};

use futures_util::{
    FutureExt,
    future::{Either, select},
    pin_mut, select_biased,
};
use miniature_api::{BatchEntry, BatchUser, ImageId, Record, Revision, Size, UserId};

use super::{Environment, Pipeline, backfill::Accepted};
use crate::cache::{
    clock::Clock,
    entry::{CheckedRecord, Content, Entry, Rendition},
    event::{Answer, CacheEvent, Step},
    inflight::{Flight, Job},
    join,
    key::{RenditionKey, Source},
    layer::{BatchAnswer, Origin, OriginError},
    memory::{Need, Status},
    raster::RasterType,
};

/// One user in a request, and the job that it is for.
#[derive(Debug)]
struct Ask {
    job: Rc<Job>,
    user: BatchUser,
}

impl<E: Environment> Pipeline<E> {
    /// Asks for all that still lacks or is past its lifetime.
    ///
    /// Someone looked at in two sizes is confirmed once: the second size rides along, and is asked
    /// for only if the first brought news.
    pub(super) async fn ask_origin(self: &Rc<Self>, jobs: &[Rc<Job>]) {
        let mut jobs = jobs.to_vec();
        while !jobs.is_empty() {
            let (asks, riders) = self.asks(&jobs);
            let requests = asks.iter().flat_map(|(size, asks)| {
                asks.chunks(self.policy.batch_users).map(|chunk| self.fetch(*size, chunk))
            });
            let landed = join::all(requests).await;
            jobs = if landed.into_iter().all(|answered| answered) { riders } else { Vec::new() };
        }
    }

    /// What to ask now, by size, and the jobs that ride along.
    fn asks(&self, jobs: &[Rc<Job>]) -> (BTreeMap<Size, Vec<Ask>>, Vec<Rc<Job>>) {
        let mut asks: BTreeMap<Size, Vec<Ask>> = BTreeMap::new();
        let (mut confirmed, mut riders) = (HashSet::new(), Vec::new());
        for job in jobs.iter().filter(|job| self.state.borrow().inflight.is_awaited(job)) {
            let user_id = job.wanted.user.clone();
            // The revision is named only if its bytes are held: otherwise the answer brings them.
            let held = match self.need(&job.wanted) {
                Need::Nothing => continue,
                Need::Bytes => None,
                Need::Confirmation(_) if !confirmed.insert(user_id.clone()) => {
                    riders.push(job.clone());
                    continue;
                }
                Need::Confirmation(revision) => Some(revision),
            };
            let ask = Ask { job: job.clone(), user: BatchUser { user_id, held } };
            asks.entry(job.wanted.size).or_default().push(ask);
        }
        (asks, riders)
    }

    /// Makes one request. Returns whether it was answered.
    async fn fetch(self: &Rc<Self>, size: Size, asks: &[Ask]) -> bool {
        let users: Vec<BatchUser> = asks.iter().map(|ask| ask.user.clone()).collect();
        let jobs: Vec<Rc<Job>> = asks.iter().map(|ask| ask.job.clone()).collect();
        let since = self.env.clock().elapsed();
        let mut cancelled = Flight::board(&jobs);
        self.env.happened(CacheEvent::Requested);
        let answer = {
            let answer = self.batch_in_time(size, &users).fuse();
            pin_mut!(answer);
            select_biased! {
                _ = cancelled => return false,
                answer = answer => answer,
            }
        };
        if self.is_closed() {
            return false;
        }
        let failure = self.take_answer(answer, size, &users);
        self.give_up(&jobs, failure.unwrap_or(OriginError::Malformed));
        self.land(&jobs, since);
        failure.is_none()
    }

    fn take_answer(
        self: &Rc<Self>,
        answer: Result<BatchAnswer, OriginError>,
        size: Size,
        users: &[BatchUser],
    ) -> Option<OriginError> {
        match answer {
            Ok(answer) => {
                let asked = |user: &UserId| users.iter().any(|asked| asked.user_id == *user);
                let accepted = self.accept(answer, size, asked);
                self.backfill(accepted);
                None
            }
            Err(error) => {
                self.env.happened(CacheEvent::OriginFailed(error));
                Some(error)
            }
        }
    }

    async fn batch_in_time(
        &self,
        size: Size,
        users: &[BatchUser],
    ) -> Result<BatchAnswer, OriginError> {
        let answer = self.env.origin().batch(size, users);
        let limit = self.env.clock().sleep(self.policy.origin_timeout);
        pin_mut!(answer, limit);
        match select(answer, limit).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(OriginError::Unreachable),
        }
    }

    /// Marks what the request did not settle as failed.
    fn give_up(&self, jobs: &[Rc<Job>], error: OriginError) {
        for job in jobs {
            if self.view(&job.wanted).status != Status::Settled {
                self.state.borrow_mut().memory.fail(&job.wanted.user, error);
            }
        }
    }

    fn land(self: &Rc<Self>, jobs: &[Rc<Job>], since: std::time::Duration) {
        for job in jobs {
            let took_ms = self.millis_since(since);
            let answer = match self.view(&job.wanted).status {
                Status::Settled => Answer::Hit,
                Status::Loading | Status::Failed(_) => Answer::Failed,
            };
            job.path.borrow_mut().push(Step { layer: Source::Network, answer, took_ms });
            self.settle(job);
            self.env.changed(&job.wanted.user);
        }
    }

    /// Takes an answer into memory, as far as it was asked for and stands the checks. Returns what
    /// the layers below may keep.
    pub(super) fn accept(
        &self,
        answer: BatchAnswer,
        size: Size,
        asked: impl Fn(&UserId) -> bool,
    ) -> Accepted {
        let renditions = self.check(answer.renditions, size);
        let mut entries = Vec::new();
        for entry in answer.entries {
            let record = match entry {
                BatchEntry::Found(record) => record,
                BatchEntry::Missing { user_id, .. } => {
                    self.state.borrow_mut().memory.forget(&user_id);
                    nobody(user_id)
                }
            };
            if asked(&record.user_id) {
                entries.extend(self.accept_record(record, &renditions));
            }
        }
        self.state.borrow_mut().memory.trim(self.policy.memory);
        Accepted { entries, durable: true }
    }

    fn accept_record(
        &self,
        record: Record,
        renditions: &HashMap<ImageId, Rendition>,
    ) -> Option<Entry> {
        let user = record.user_id.clone();
        let rendition = record.image_id.and_then(|image| renditions.get(&image)).cloned();
        let record = CheckedRecord { record, checked_at: self.env.clock().now() };
        let fresh_for = self.policy.fresh_for(Source::Network);
        let mut state = self.state.borrow_mut();
        if !state.memory.learn(record.clone(), Source::Network, fresh_for) {
            return None;
        }
        if let Some(rendition) = rendition.clone() {
            state.memory.keep(&user, rendition, Source::Network);
        }
        drop(state);
        self.env.changed(&user);
        Some(Entry { record, rendition })
    }

    /// The renditions that are what they claim to be.
    fn check(
        &self,
        renditions: Vec<(ImageId, Rc<[u8]>)>,
        size: Size,
    ) -> HashMap<ImageId, Rendition> {
        let mut checked = HashMap::new();
        let mut received = 0;
        for (image, bytes) in renditions {
            received += bytes.len() as u64;
            match RasterType::check(&bytes, size, self.policy.rendition_bytes) {
                Ok(kind) => {
                    let key = RenditionKey { image, size };
                    let content = Content::Bytes(kind, bytes);
                    checked.insert(image, Rendition { key, content });
                }
                Err(_) => self.env.happened(CacheEvent::OriginFailed(OriginError::Malformed)),
            }
        }
        if received > 0 {
            self.env.happened(CacheEvent::Received(received));
        }
        checked
    }
}

/// What is known of someone whom the server does not know: there is no picture.
fn nobody(user_id: UserId) -> Record {
    Record { user_id, revision: Revision(0), image_id: None, thumbhash: None }
}
