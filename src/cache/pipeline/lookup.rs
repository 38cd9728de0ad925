//! The second look: what lacks after the first, in one transaction of IndexedDB.

use std::rc::Rc;

use super::{Environment, Pipeline, backfill::Accepted};
use crate::cache::{
    clock::Clock,
    entry::{Entry, Found},
    event::{Answer, Step},
    inflight::Job,
    key::Lookup,
    layer::{self, CacheLayer},
    memory::Need,
};

impl<E: Environment> Pipeline<E> {
    /// Looks up all jobs that lack bytes, in one trip.
    pub(super) async fn search_durable(self: &Rc<Self>, jobs: &[Rc<Job>]) {
        let jobs: Vec<&Rc<Job>> =
            jobs.iter().filter(|job| self.need(&job.wanted) == Need::Bytes).collect();
        if jobs.is_empty() {
            return;
        }
        let lookups: Vec<Lookup> = jobs.iter().map(|job| self.lookup(job)).collect();
        let since = self.env.clock().elapsed();
        let get = || -> layer::Answer<'_, _> { Box::pin(self.env.durable().get_many(&lookups)) };
        let found = self.guarded(&self.durable, &get).await;
        if self.is_closed() {
            return;
        }
        match found {
            Some(Ok(found)) => self.take_in_all(&jobs, found, since),
            Some(Err(_)) | None => {
                let took_ms = self.millis_since(since);
                let step = Step { layer: E::Durable::SOURCE, answer: Answer::Failed, took_ms };
                jobs.iter().for_each(|job| job.path.borrow_mut().push(step));
            }
        }
    }

    fn lookup(&self, job: &Job) -> Lookup {
        let image = self.state.borrow().memory.image(&job.wanted.user);
        Lookup { wanted: job.wanted.clone(), image }
    }

    fn take_in_all(
        self: &Rc<Self>,
        jobs: &[&Rc<Job>],
        found: Vec<Found>,
        since: std::time::Duration,
    ) {
        let mut entries = Vec::new();
        for (job, found) in jobs.iter().zip(found) {
            entries.extend(entry_of(&found));
            self.take_in(&job.wanted.user, found, E::Durable::SOURCE);
            let hit = self.is_settled(&job.wanted);
            job.path.borrow_mut().push(self.step(E::Durable::SOURCE, hit, since));
            self.settle(job);
            self.env.changed(&job.wanted.user);
        }
        // The request for the rest may take long: the limit holds meanwhile.
        self.state.borrow_mut().memory.trim(self.policy.memory);
        self.backfill(Accepted { entries, durable: false });
    }
}

/// What the layers above may keep of a find: a record, and a rendition of the record's image.
fn entry_of(found: &Found) -> Option<Entry> {
    let record = found.record.clone()?;
    let image = record.record.image_id;
    let rendition = found.rendition.clone().filter(|r| Some(r.image()) == image);
    Some(Entry { record, rendition })
}
