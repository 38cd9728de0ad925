//! The connection: opened at the first use, shared, and opened anew once it was closed under us.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use futures_channel::oneshot;
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, Shared, WeakShared},
};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbTransaction, IdbTransactionMode as Mode,
};

use super::{
    ALL_STORES, BY_AGE, Done, PAGES, USES,
    cause::{self, Cause},
    request, row,
};
use crate::{browser::listener::Listener, cache::layer::LayerError};

/// Raised when a store is added or laid out anew. What an earlier layout held goes.
const VERSION: u32 = 2;

/// Can be run again on another connection.
type Work = Rc<dyn Fn(IdbTransaction) -> LocalBoxFuture<'static, Done<()>>>;
type Opened = Result<Rc<Database>, Cause>;

/// Tells one opening from another.
type Attempt = Rc<()>;

/// A database that is connected to when needed.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    name: Rc<str>,
    shared: Rc<RefCell<State>>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// Held weakly: once everybody has stopped waiting for it, the next call opens anew.
    Opening(WeakShared<oneshot::Receiver<Opened>>, Attempt),
    Open(Rc<Database>),
}

/// Closes when the last operation on it has ended: a forgotten connection would block every
/// upgrade and deletion.
#[derive(Debug)]
pub(super) struct Database {
    database: IdbDatabase,
    _listeners: [Option<Listener>; 2],
}

impl Drop for Database {
    fn drop(&mut self) {
        self.database.close();
    }
}

impl Connection {
    pub(super) fn new(name: String) -> Self {
        Self { name: name.into(), shared: Rc::default() }
    }

    /// Runs `work` in one transaction over `stores`, and waits until what it wrote is stored. A
    /// connection that is lost is opened anew, and `work` runs once more.
    ///
    /// `work` awaits nothing but requests of its transaction. It runs to its end even if the caller
    /// stops waiting.
    pub(super) async fn run<T: 'static>(
        &self,
        stores: &'static [&'static str],
        mode: Mode,
        work: impl AsyncFn(&IdbTransaction) -> Done<T> + 'static,
    ) -> Result<T, LayerError> {
        let result = Rc::new(RefCell::new(None));
        let (slot, work) = (result.clone(), Rc::new(work));
        let work: Work = Rc::new(move |transaction| {
            let (slot, work) = (slot.clone(), work.clone());
            Box::pin(async move {
                let done = work(&transaction).await?;
                slot.replace(Some(done));
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
        mode: Mode,
        work: Work,
    ) -> Result<(), LayerError> {
        let ended = match self.attempt(stores, mode, work.clone()).await {
            Err(Cause::Lost) => self.attempt(stores, mode, work).await,
            ended => ended,
        };
        ended.map_err(Cause::into_error)
    }

    async fn attempt(
        &self,
        stores: &'static [&'static str],
        mode: Mode,
        work: Work,
    ) -> Result<(), Cause> {
        let database = self.open().await?;
        let (end, ended) = oneshot::channel();
        let connection = self.clone();
        spawn_local(async move {
            let result = database.transact(stores, mode, work).await;
            if result.is_err_and(Cause::spoils_connection) {
                connection.forget(&database);
            }
            let _ = end.send(result);
        });
        ended.await.unwrap_or(Err(Cause::Layer(LayerError::Failed)))
    }

    /// Runs `work` after what was begun before, if the database is open. Nobody hears of its end.
    pub(super) fn run_aside(
        &self,
        stores: &'static [&'static str],
        work: impl AsyncFn(&IdbTransaction) -> Done<()> + 'static,
    ) {
        let State::Open(database) = &*self.shared.borrow() else { return };
        let (database, work) = (database.clone(), Rc::new(work));
        let work: Work = Rc::new(move |transaction| {
            let work = work.clone();
            Box::pin(async move { work(&transaction).await })
        });
        spawn_local(async move {
            let _ = database.transact(stores, Mode::Readwrite, work).await;
        });
    }

    /// Closes it once what was begun has ended; a later call opens it anew.
    pub(super) fn close(&self) {
        self.shared.take();
    }

    /// Deletes the database: done once it is gone. Tabs that still use it let go of it as soon as
    /// they hear of it; until then this waits.
    pub(super) async fn delete(&self) -> Result<(), LayerError> {
        self.close();
        let deletion = factory()?.delete_database(&self.name);
        let deletion = deletion.map_err(|_| LayerError::Unavailable)?;
        let deleted = request::result(Ok(deletion.into())).await;
        deleted.map(drop).map_err(|_| LayerError::Failed)
    }

    async fn open(&self) -> Opened {
        let opening = match &*self.shared.borrow() {
            State::Open(database) => return Ok(database.clone()),
            State::Opening(opening, _) => opening.upgrade(),
            State::Closed => None,
        };
        let opening = opening.unwrap_or_else(|| self.begin_opening());
        opening.await.unwrap_or(Err(Cause::Layer(LayerError::Failed)))
    }

    fn begin_opening(&self) -> Shared<oneshot::Receiver<Opened>> {
        let (end, ended) = oneshot::channel();
        let opening = ended.shared();
        let attempt = Attempt::default();
        let opening_state = opening.downgrade().map(|weak| State::Opening(weak, attempt.clone()));
        self.shared.replace(opening_state.unwrap_or_default());
        let connection = self.clone();
        spawn_local(async move {
            let opened = open(&connection.name, Rc::downgrade(&connection.shared)).await;
            connection.note(&attempt, &opened);
            let _ = end.send(opened);
        });
        opening
    }

    /// An opening that another has overtaken, or that was called off, is for those alone who still
    /// wait for it: what it opened closes after them.
    fn note(&self, attempt: &Attempt, opened: &Opened) {
        let mut state = self.shared.borrow_mut();
        if matches!(&*state, State::Opening(_, current) if Rc::ptr_eq(current, attempt)) {
            *state = match opened {
                Ok(database) => State::Open(database.clone()),
                Err(_) => State::Closed,
            };
        }
    }

    fn forget(&self, database: &Rc<Database>) {
        let mut state = self.shared.borrow_mut();
        if matches!(&*state, State::Open(open) if Rc::ptr_eq(open, database)) {
            *state = State::Closed;
        }
    }
}

impl Database {
    async fn transact(&self, stores: &[&str], mode: Mode, work: Work) -> Result<(), Cause> {
        let names: Array = stores.iter().copied().map(JsValue::from).collect();
        let transaction = self.database.transaction_with_str_sequence_and_mode(&names, mode);
        let transaction = transaction.map_err(|thrown| cause::of_request(&thrown))?;
        if mode == Mode::Readonly {
            return work(transaction).await.map_err(|thrown| cause::of_request(&thrown));
        }
        let committed = request::committed(&transaction);
        let worked = work(transaction.clone()).await;
        if worked.is_err() {
            // A call that throws does not end the transaction by itself.
            let _ = transaction.abort();
        }
        let committed = committed.await.unwrap_or(false);
        match worked {
            Ok(()) if committed => Ok(()),
            worked => Err(cause::of_abort(worked.err(), transaction.error())),
        }
    }
}

async fn open(name: &str, state: Weak<RefCell<State>>) -> Opened {
    let factory = factory().map_err(Cause::Layer)?;
    let database = opened(&factory, name).await.map_err(|thrown| cause::of_open(&thrown))?;
    let closing = database.clone();
    // Another tab upgrades or deletes the database.
    let on_change = Listener::on(&database, "versionchange", move |_| closing.close());
    // The browser has closed it, as when somebody clears the site's data.
    let closed = database.clone();
    let on_close = Listener::on(&database, "close", move |_| {
        let Some(state) = state.upgrade() else { return };
        let is_open = matches!(&*state.borrow(), State::Open(open) if open.database == closed);
        if is_open {
            state.take();
        }
    });
    Ok(Rc::new(Database { database, _listeners: [on_change, on_close] }))
}

async fn opened(factory: &IdbFactory, name: &str) -> Done<IdbDatabase> {
    let request = factory.open_with_u32(name, VERSION)?;
    let upgraded = request.clone();
    let upgrade = Closure::once(move || {
        if lay_out(&upgraded).is_err()
            && let Some(transaction) = upgraded.transaction()
        {
            let _ = transaction.abort();
        }
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    Ok(request::result(Ok(request.into())).await?.unchecked_into())
}

/// Within an upgrade: the stores of this version, and no others.
fn lay_out(request: &IdbOpenDbRequest) -> Done<()> {
    let database: IdbDatabase = request.result()?.unchecked_into();
    let old = database.object_store_names();
    let old: Vec<String> = (0..old.length()).filter_map(|at| old.get(at)).collect();
    old.iter().try_for_each(|name| database.delete_object_store(name))?;
    for name in ALL_STORES {
        let store = database.create_object_store(name)?;
        let by_age = match *name {
            USES => [row::USED_AT, row::RANK],
            PAGES => [row::KIND, row::STORED_AT],
            _ => continue,
        };
        let path: Array = by_age.into_iter().map(JsValue::from).collect();
        store.create_index_with_str_sequence(BY_AGE, &path)?;
    }
    Ok(())
}

/// The way to databases.
pub(super) fn factory() -> Result<IdbFactory, LayerError> {
    let window = web_sys::window().ok_or(LayerError::Unavailable)?;
    window.indexed_db().ok().flatten().ok_or(LayerError::Unavailable)
}
