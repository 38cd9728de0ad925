//! The connection: opened at the first use, shared, and opened anew once it was closed under us.

use std::{cell::RefCell, rc::Rc};

use futures_channel::oneshot;
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, Shared, WeakShared},
};
use rexie::{Index, ObjectStore, Rexie, Transaction, TransactionMode};
use wasm_bindgen::{JsCast, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{IdbFactory, IdbOpenDbRequest};

use super::{PAGES, RECORDS, RENDITIONS, STORED_AT, USES, cause};
use crate::cache::layer::LayerError;

/// Raised when a store is added or laid out anew.
const VERSION: u32 = 1;

type Work = Box<dyn FnOnce(&Transaction) -> LocalBoxFuture<'_, rexie::Result<()>>>;
type Opened = Result<Rc<Database>, LayerError>;

/// A database that is connected to when needed.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    name: Rc<str>,
    state: Rc<RefCell<State>>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// Held weakly: once everybody has stopped waiting for it, the next call opens anew.
    Opening(WeakShared<oneshot::Receiver<Opened>>),
    Open(Rc<Database>),
}

/// Closes when the last operation on it has ended: a forgotten connection would block every
/// upgrade and deletion.
#[derive(Debug)]
struct Database(Option<Rexie>);

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(database) = self.0.take() {
            database.close();
        }
    }
}

impl Connection {
    pub(super) fn new(name: String) -> Self {
        Self { name: name.into(), state: Rc::default() }
    }

    /// Runs `work` in one transaction over `stores`, and waits until what it wrote is stored.
    ///
    /// `work` awaits nothing but requests of its transaction, and all of those that it makes. It
    /// runs to its end even if the caller stops waiting: events of requests whose handlers are
    /// gone would end up as errors in the console.
    pub(super) async fn run<T: 'static>(
        &self,
        stores: &'static [&'static str],
        mode: TransactionMode,
        work: impl AsyncFnOnce(&Transaction) -> rexie::Result<T> + 'static,
    ) -> Result<T, LayerError> {
        let result = Rc::new(RefCell::new(None));
        let slot = result.clone();
        let work: Work = Box::new(move |transaction| {
            Box::pin(async move {
                slot.replace(Some(work(transaction).await?));
                Ok(())
            })
        });
        self.run_boxed(stores, mode, work).await?;
        result.take().ok_or(LayerError::Failed)
    }

    /// One copy of the machinery, whatever the work: each is some 4 kB of WebAssembly.
    async fn run_boxed(
        &self,
        stores: &'static [&'static str],
        mode: TransactionMode,
        work: Work,
    ) -> Result<(), LayerError> {
        let database = self.open().await?;
        let (end, ended) = oneshot::channel();
        let connection = self.clone();
        spawn_local(async move {
            let result = database.transact(stores, mode, work).await;
            let result = result.map_err(|error| cause::of_use(&error));
            if matches!(result, Err(LayerError::Disconnected)) {
                connection.forget(&database);
            }
            let _ = end.send(result);
        });
        ended.await.unwrap_or(Err(LayerError::Failed))
    }

    /// Deletes the database. Does not wait for tabs that still use it: theirs closes as soon as
    /// they hear of it, and then it goes.
    pub(super) async fn delete(&self) -> Result<(), LayerError> {
        self.state.take();
        let ended = {
            let request = factory()?.delete_database(&self.name);
            end_of(&request.map_err(|_| LayerError::Unavailable)?)
        };
        ended.await.map_err(|_| LayerError::Failed)
    }

    async fn open(&self) -> Opened {
        let opening = match &*self.state.borrow() {
            State::Open(database) => return Ok(database.clone()),
            State::Opening(opening) => opening.upgrade(),
            State::Closed => None,
        };
        let opening = opening.unwrap_or_else(|| self.begin_opening());
        opening.await.unwrap_or(Err(LayerError::Failed))
    }

    fn begin_opening(&self) -> Shared<oneshot::Receiver<Opened>> {
        let (end, ended) = oneshot::channel();
        let opening = ended.shared();
        let weak = opening.downgrade().map_or(State::Closed, State::Opening);
        self.state.replace(weak);
        let connection = self.clone();
        spawn_local(async move {
            let opened = open(&connection.name).await;
            connection.state.replace(match &opened {
                Ok(database) => State::Open(database.clone()),
                Err(_) => State::Closed,
            });
            let _ = end.send(opened);
        });
        opening
    }

    fn forget(&self, database: &Rc<Database>) {
        let mut state = self.state.borrow_mut();
        if matches!(&*state, State::Open(open) if Rc::ptr_eq(open, database)) {
            *state = State::Closed;
        }
    }
}

impl Database {
    async fn transact(
        &self,
        stores: &[&str],
        mode: TransactionMode,
        work: Work,
    ) -> rexie::Result<()> {
        let database = self.0.as_ref().ok_or(rexie::Error::TransactionAbortFailed)?;
        let transaction = database.transaction(stores, mode)?;
        work(&transaction).await?;
        if mode == TransactionMode::ReadOnly || transaction.done().await?.is_committed() {
            return Ok(());
        }
        Err(rexie::Error::TransactioncommitFailed)
    }
}

async fn open(name: &str) -> Opened {
    let by_age = Index::new(STORED_AT, STORED_AT);
    let database = Rexie::builder(name)
        .version(VERSION)
        .add_object_store(ObjectStore::new(RECORDS))
        .add_object_store(ObjectStore::new(RENDITIONS))
        .add_object_store(ObjectStore::new(USES))
        .add_object_store(ObjectStore::new(PAGES).add_index(by_age))
        .build()
        .await;
    match database {
        Ok(database) => Ok(Rc::new(Database(Some(database)))),
        Err(error) => Err(cause::of_open(&error)),
    }
}

fn factory() -> Result<IdbFactory, LayerError> {
    let window = web_sys::window().ok_or(LayerError::Unavailable)?;
    window.indexed_db().ok().flatten().ok_or(LayerError::Unavailable)
}

/// Resolves when a deletion has succeeded, failed, or waits for other tabs.
fn end_of(request: &IdbOpenDbRequest) -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel();
    let mut end = Some(end);
    let on_end = Closure::<dyn FnMut()>::new(move || {
        if let Some(end) = end.take() {
            let _ = end.send(());
        }
    });
    // Collected together with the request, which fires up to two of the three.
    let on_end = on_end.into_js_value();
    request.set_onsuccess(Some(on_end.unchecked_ref()));
    request.set_onerror(Some(on_end.unchecked_ref()));
    request.set_onblocked(Some(on_end.unchecked_ref()));
    ended
}
