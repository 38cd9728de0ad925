//! What is being loaded, for whom: one load a picture and size, however many ask.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use futures_channel::oneshot;
use miniature_api::UserId;

use super::{event::Step, key::Wanted};

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Waiting {
    /// When it asked, on the running clock.
    pub since: Duration,
    /// The layers that had nothing for it.
    pub path: Vec<Step>,
}

/// One load under way.
#[derive(Debug)]
pub struct Job {
    /// What is being loaded.
    pub wanted: Wanted,
    /// The requests that wait for it. None: a revalidation, or a prefetch.
    pub waiting: RefCell<Vec<Waiting>>,
    /// The layers asked so far.
    pub path: RefCell<Vec<Step>>,
    /// Goes on without viewers.
    pub prefetch: Cell<bool>,
    flight: RefCell<Option<Rc<Flight>>>,
}

/// One request to the API, shared by up to 50 jobs.
#[derive(Debug)]
pub struct Flight {
    cancel: RefCell<Option<oneshot::Sender<()>>>,
    jobs: RefCell<Vec<Wanted>>,
}

/// Every load under way, and who looks at what.
#[derive(Debug, Default)]
pub struct Inflight {
    jobs: BTreeMap<Wanted, Rc<Job>>,
    viewers: BTreeMap<Wanted, usize>,
}

impl Inflight {
    /// The load of `wanted` that is under way, and whether it had to be begun.
    pub fn join(&mut self, wanted: &Wanted) -> (Rc<Job>, bool) {
        if let Some(job) = self.jobs.get(wanted) {
            return (job.clone(), false);
        }
        let job = Rc::new(Job {
            wanted: wanted.clone(),
            waiting: RefCell::default(),
            path: RefCell::default(),
            prefetch: Cell::new(false),
            flight: RefCell::default(),
        });
        self.jobs.insert(wanted.clone(), job.clone());
        (job, true)
    }

    /// The load has ended.
    pub fn end(&mut self, job: &Rc<Job>) {
        if self.jobs.get(&job.wanted).is_some_and(|current| Rc::ptr_eq(current, job)) {
            self.jobs.remove(&job.wanted);
        }
        job.flight.take();
    }

    /// Someone looks at `wanted`.
    pub fn enter(&mut self, wanted: &Wanted) {
        *self.viewers.entry(wanted.clone()).or_default() += 1;
    }

    /// Someone looks no longer. The request that loads it is cancelled if nobody waits for any
    /// of what it loads.
    pub fn leave(&mut self, wanted: &Wanted) {
        match self.viewers.get_mut(wanted) {
            Some(viewers) if *viewers > 1 => *viewers -= 1,
            Some(_) | None => {
                self.viewers.remove(wanted);
                self.cancel_if_idle(wanted);
            }
        }
    }

    /// Whether anybody waits for the job.
    pub fn is_awaited(&self, job: &Job) -> bool {
        job.prefetch.get() || self.viewers.contains_key(&job.wanted)
    }

    /// What is looked at of the user's, at every size.
    pub fn viewed_of(&self, user: &UserId) -> Vec<Wanted> {
        self.viewers.keys().filter(|wanted| wanted.user == *user).cloned().collect()
    }

    /// Everything that is looked at.
    pub fn viewed(&self) -> Vec<Wanted> {
        self.viewers.keys().cloned().collect()
    }

    /// Cancels every load, whoever waits.
    pub fn cancel_all(&mut self) {
        for job in std::mem::take(&mut self.jobs).into_values() {
            if let Some(flight) = job.flight.take() {
                flight.cancel();
            }
        }
    }

    fn cancel_if_idle(&mut self, wanted: &Wanted) {
        let Some(flight) = self.jobs.get(wanted).and_then(|job| job.flight.borrow().clone()) else {
            return;
        };
        let jobs = flight.jobs.borrow().clone();
        let awaited =
            |wanted: &Wanted| self.jobs.get(wanted).is_some_and(|job| self.is_awaited(job));
        if !jobs.iter().any(awaited) {
            flight.cancel();
            for wanted in jobs {
                self.jobs.remove(&wanted);
            }
        }
    }
}

impl Flight {
    /// Puts the jobs on one flight; the receiver resolves if it is cancelled.
    pub fn board(jobs: &[Rc<Job>]) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        let wanted = jobs.iter().map(|job| job.wanted.clone()).collect();
        let flight =
            Rc::new(Self { cancel: RefCell::new(Some(cancel)), jobs: RefCell::new(wanted) });
        for job in jobs {
            job.flight.replace(Some(flight.clone()));
        }
        cancelled
    }

    fn cancel(&self) {
        if let Some(cancel) = self.cancel.take() {
            // The receiver is gone if the request has just ended: nothing is left to cancel.
            let _ = cancel.send(());
        }
    }
}
