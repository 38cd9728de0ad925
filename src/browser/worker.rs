//! The service worker: registering and ending it, asking it, and hearing of another version.
//!
//! # Source
//!
//! Service Workers, W3C. Browsers have them in a secure context alone, and not in every private window.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MessageChannel, MessageEvent, ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration,
    ServiceWorkerState,
};

use super::{listener::Listener, number};

/// Where the page says where the worker's script is.
const TOLD: &str = "meta[name=miniature-worker]";

/// The address of the worker's script; none where there is to be no worker.
pub fn script() -> Option<String> {
    told("content")
}

/// What the version is called that the page is of.
pub fn version() -> Option<String> {
    told("data-version")
}

fn told(attribute: &str) -> Option<String> {
    let told = web_sys::window()?.document()?.query_selector(TOLD).ok()??;
    told.get_attribute(attribute)
}

/// Whether the address asks for the page without the worker, by `?no-sw`.
pub fn is_unwanted() -> bool {
    let search = web_sys::window().and_then(|window| window.location().search().ok());
    search.is_some_and(|search| search.trim_start_matches('?').split('&').any(|p| p == "no-sw"))
}

fn container() -> Option<ServiceWorkerContainer> {
    let navigator = web_sys::window()?.navigator();
    let container = Reflect::get(&navigator, &"serviceWorker".into()).ok()?;
    container.is_object().then(|| container.unchecked_into())
}

/// The worker of this origin.
#[derive(Clone, Debug)]
pub struct Worker(ServiceWorkerRegistration);

impl Worker {
    /// Registers the script at `url`, or finds it registered; none where the browser refuses.
    pub async fn register(url: &str) -> Option<Self> {
        let registered = JsFuture::from(container()?.register(url)).await.ok()?;
        Some(Self(registered.unchecked_into()))
    }

    /// The worker that is registered with the script at `path`, whatever its query.
    pub async fn find(path: &str) -> Option<Self> {
        let found = JsFuture::from(container()?.get_registration()).await.ok()?;
        let worker = Self(found.dyn_into().ok()?);
        let script = web_sys::Url::new(&worker.newest()?.script_url()).ok()?;
        (script.pathname() == path).then_some(worker)
    }

    fn newest(&self) -> Option<ServiceWorker> {
        self.0.installing().or_else(|| self.0.waiting()).or_else(|| self.0.active())
    }

    /// Ends it once no page uses it any more.
    pub async fn unregister(&self) {
        if let Ok(unregistered) = self.0.unregister() {
            // Refused only where there is none.
            let _ = JsFuture::from(unregistered).await;
        }
    }

    /// Whether it has come so far that it can be asked.
    pub fn is_active(&self) -> bool {
        self.0.active().is_some()
    }

    /// Whether another version waits until no page uses this one any more.
    pub fn has_next(&self) -> bool {
        self.is_active() && self.0.waiting().is_some()
    }

    /// Whether it is there. A worker that hangs does not answer.
    pub async fn ping(&self) -> bool {
        self.ask("ping").await.is_some()
    }

    /// What the version is called that is in use.
    pub async fn version(&self) -> Option<String> {
        self.ask("version").await?.as_string()
    }

    /// Has it renew the pictures that end soon, and returns how many; none without a network. Without `now` it
    /// does so once the browser wakes it, where browsers do that.
    pub async fn sync(&self, now: bool) -> Option<usize> {
        let renewed = self.ask(if now { "sync" } else { "later" }).await?;
        usize::try_from(number::whole(renewed.as_f64()?)).ok()
    }

    async fn ask(&self, kind: &str) -> Option<JsValue> {
        ask(&self.0.active()?, kind).await
    }

    /// Has the version that waits take over now.
    pub fn let_next_begin(&self) {
        if let Some(next) = self.0.waiting() {
            super::schedule::spawn(async move {
                ask(&next, "skip_waiting").await;
            });
        }
    }

    /// Calls `callback` each time another version may have come to wait.
    pub fn on_next(&self, callback: impl Fn() + Clone + 'static) -> Option<Listener> {
        let (registration, watched) = (self.0.clone(), Rc::new(RefCell::new(None)));
        let watch = move || {
            let Some(next) = registration.installing() else { return };
            let (worker, callback) = (next.clone(), callback.clone());
            let changed = Listener::on(&next, "statechange", move |_| {
                if worker.state() == ServiceWorkerState::Installed {
                    callback();
                }
            });
            watched.replace(changed);
        };
        // One may be on its way already.
        watch();
        Listener::on(&self.0, "updatefound", move |_| watch())
    }
}

async fn ask(worker: &ServiceWorker, kind: &str) -> Option<JsValue> {
    let channel = MessageChannel::new().ok()?;
    let message = Object::new();
    Reflect::set(&message, &"type".into(), &kind.into()).ok()?;
    let ports = js_sys::Array::of1(&channel.port2());
    let answer = Promise::new(&mut |resolve, _| {
        let heard = Closure::once_into_js(move |event: MessageEvent| {
            let _ = resolve.call1(&JsValue::NULL, &event.data());
        });
        channel.port1().set_onmessage(Some(heard.unchecked_ref()));
    });
    worker.post_message_with_transferable(&message, &ports).ok()?;
    let answer = JsFuture::from(answer).await.ok()?;
    Reflect::get(&answer, &"ok".into()).ok().filter(|ok| !ok.is_undefined())
}

/// Calls `callback` each time the worker, which was woken for it, asks for a sync.
pub fn on_sync(callback: impl Fn() + 'static) -> Option<Listener> {
    let container = container()?;
    Listener::on(&container, "message", move |event| {
        let data = event.unchecked_into::<MessageEvent>().data();
        let kind = Reflect::get(&data, &"type".into()).ok();
        if kind.is_some_and(|kind| kind == "sync") {
            callback();
        }
    })
}

/// Calls `callback` each time another worker takes control of this page.
pub fn on_control(callback: impl Fn() + 'static) -> Option<Listener> {
    let container = container()?;
    Listener::on(&container, "controllerchange", move |_| callback())
}

/// Loads the page again.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        // Refused only to a page that is on its way out.
        let _ = window.location().reload();
    }
}
