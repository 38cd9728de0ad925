//! The methods of `window.cacheMonitor`, a function each.

mod recorded;

use std::{cell::RefCell, rc::Rc};

use js_sys::{Error, Function, Object, Promise, Reflect};
use miniature_api::{Size, UserId};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::future_to_promise;

use crate::{
    browser::{clock, json, layer::CacheLayer as _, quota},
    cache::{
        core::Event,
        entry::{CheckedRecord, Found, Rendition},
        explain::explain,
        holding::Holding,
        key::{Lookup, Source, Wanted},
        layer::LayerError,
        metrics::Metrics,
        replay::Renamed,
        storage::{Storage, limits},
        trouble::Wish,
    },
    store::{
        bypass,
        driver::driver,
        record, simulate,
        sync::{Synced, sync_now},
        worker::has_worker,
    },
};

type Returned = Result<JsValue, JsValue>;

thread_local! {
    /// What may be stored, as it was when somebody asked last.
    static STORAGE: RefCell<Option<Storage>> = const { RefCell::new(None) };
    /// What is looked at in the place of the page's own figures.
    /// For who was signed in then.
    static IMPORTED: RefCell<Option<(Option<UserId>, Metrics)>> = const { RefCell::new(None) };
}

pub(super) use recorded::{advise, record};

pub(super) fn metrics() -> Metrics {
    let driver = driver();
    let usage = |layer| driver.read(|core| core.usage(layer));
    driver.counters.metrics(usage, STORAGE.with_borrow(Clone::clone))
}

pub(super) fn get_metrics(_: JsValue) -> Returned {
    Ok(json::object(&metrics()).into())
}

/// As a JSON text with what was recorded; with pseudonyms unless names are asked for.
pub(super) fn export(names: JsValue) -> Returned {
    let session = account().map(|account| record::session(&account)).unwrap_or_default();
    let names = (!names.is_truthy()).then(|| recorded::pseudonyms(&metrics(), &session));
    let name =
        |text: &str| names.as_ref().map_or_else(|| text.to_owned(), |names| names.text(text));
    let exported = json::object(&metrics().renamed(name)).unwrap_or_default();
    Reflect::set(&exported, &"policy".into(), &policy(JsValue::UNDEFINED)?)?;
    if !session.is_empty() {
        let recordings = json::object(&Renamed(&session, &name)).unwrap_or_default();
        Reflect::set(&exported, &"recordings".into(), &recordings)?;
    }
    Ok(js_sys::JSON::stringify(&exported)?.into())
}

/// Has an exported text looked at; without one, the page again.
pub(super) fn import(text: JsValue) -> Returned {
    let metrics = match text.as_string() {
        None if text.is_undefined() => None,
        text => Some(
            text.and_then(|text| json::read::<Metrics>(&text))
                .filter(Metrics::is_of_this_schema)
                .ok_or_else(|| Error::new("This is not an export of this version."))?,
        ),
    };
    IMPORTED.set(metrics.map(|metrics| (account(), metrics)));
    driver().counters.tell();
    Ok(JsValue::UNDEFINED)
}

pub(super) fn imported(_: JsValue) -> Returned {
    let account = account();
    let imported = IMPORTED.with_borrow(|imported| {
        let of_account = imported.as_ref().filter(|(of, _)| *of == account);
        of_account.and_then(|(_, metrics)| json::object(metrics))
    });
    Ok(imported.unwrap_or(JsValue::NULL))
}

/// A line for people, and below it a row a layer; returns the line.
pub(super) fn log_summary(_: JsValue) -> Returned {
    let metrics = metrics();
    let line = JsValue::from(metrics.in_a_line());
    let layers = json::object(&metrics).unwrap_or_default();
    let layers = Reflect::get(&layers, &"layers".into()).unwrap_or_default();
    web_sys::console::group_1(&line);
    web_sys::console::table_1(&layers);
    web_sys::console::group_end();
    Ok(line)
}

/// A sentence for each layer that the last load of a user asked, a line each.
pub(super) fn explain_load(user: JsValue) -> Returned {
    let user = user_of(&user)?;
    let metrics = metrics();
    let load = metrics.recent.iter().rev().find(|load| load.user == user);
    let sentences = load.map(explain).unwrap_or_default();
    Ok(match sentences.is_empty() {
        true => format!("No load of {user} was recorded.").into(),
        false => sentences.join("\n").into(),
    })
}

/// What each layer holds of a user.
pub(super) fn entry(user: JsValue) -> Returned {
    let user = user_of(&user)?;
    Ok(promise(async move { json::object(&holdings(&user).await).into() }))
}

pub(super) fn storage(_: JsValue) -> Returned {
    Ok(promise(async {
        let storage = what_is_stored().await;
        let object = json::object(&storage);
        STORAGE.set(Some(storage));
        driver().counters.tell();
        object.into()
    }))
}

/// By names, as `cargo xtask replay` takes them.
pub(super) fn policy(_: JsValue) -> Returned {
    let settings = Object::new();
    for (name, number) in driver().read(|core| core.policy().settings()) {
        #[expect(clippy::cast_precision_loss, reason = "no limit is above 2^53")]
        Reflect::set(&settings, &name.into(), &(number as f64).into())?;
    }
    Ok(settings.into())
}

/// What the layers hold is found out for those who look on, where that is not known.
pub(super) fn subscribe(callback: JsValue) -> Returned {
    if !callback.is_function() {
        return Err(Error::new("subscribe takes a function that is called back.").into());
    }
    // It may be of another window, where the panel has one.
    let callback: Function = callback.unchecked_into();
    let tell = move || {
        // What it throws is its own.
        let _ = callback.call0(&JsValue::NULL);
        driver().handle(Event::MeasureUsage);
    };
    let number = driver().counters.watch(Rc::new(tell));
    driver().handle(Event::MeasureUsage);
    Ok(Closure::once_into_js(move || driver().counters.leave(number)))
}

pub(super) fn persist(_: JsValue) -> Returned {
    Ok(promise(async { quota::persist().await.into() }))
}

pub(super) fn clear(_: JsValue) -> Returned {
    driver().handle(Event::Clear);
    Ok(JsValue::UNDEFINED)
}

pub(super) fn reset(_: JsValue) -> Returned {
    record::reset(clock::now());
    driver().counters.reset();
    Ok(JsValue::UNDEFINED)
}

/// Resolves to a sentence.
pub(super) fn sync(_: JsValue) -> Returned {
    let promise = Promise::new(&mut |resolve, _| {
        sync_now(move |synced| {
            let _ = resolve.call1(&JsValue::NULL, &sentence(synced).into());
        });
    });
    Ok(promise.into())
}

/// Loads the large pictures of all who stand in the list; returns how many that are.
pub(super) fn prefetch(_: JsValue) -> Returned {
    let friends = driver().read(|core| core.friends().friends);
    let users: Vec<UserId> = friends.iter().map(|friend| friend.user_id.clone()).collect();
    let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
    driver().handle(Event::Prefetch(users, Size::S256));
    Ok(count.into())
}

pub(super) fn invalidate(user: JsValue) -> Returned {
    driver().handle(Event::Invalidate(user_of(&user)?));
    Ok(JsValue::UNDEFINED)
}

/// Has all pictures be plain `<img>`s, or again of this cache; without an argument leaves it so.
pub(super) fn bypass(on: JsValue) -> Returned {
    let bypass = &driver().signals.bypass;
    if !on.is_undefined() {
        bypass.set(on.is_truthy());
    }
    Ok(bypass.is_on_untracked().into())
}

/// Resolves to the times that the pictures in view take either way.
pub(super) fn compare(_: JsValue) -> Returned {
    Ok(promise(async { json::object(&bypass::compare().await).into() }))
}

pub(super) fn simulate(wish: JsValue) -> Returned {
    let wish = json::read_object::<Wish>(wish)
        .ok_or_else(|| Error::new("simulate takes a layer, a fault and, to be slow, `ms`."))?;
    simulate::simulate(&wish).map_err(|why| Error::new(&why))?;
    Ok(JsValue::UNDEFINED)
}

/// The account that is signed in.
fn account() -> Option<UserId> {
    driver().read(|core| core.account().cloned())
}

fn user_of(user: &JsValue) -> Result<UserId, JsValue> {
    let user = user.as_string().and_then(|user| user.parse().ok());
    user.ok_or_else(|| Error::new("This is not the id of a user.").into())
}

fn promise(future: impl Future<Output = JsValue> + 'static) -> JsValue {
    future_to_promise(async { Ok(future.await) }).into()
}

/// What may be stored, and what is.
async fn what_is_stored() -> Storage {
    let (estimate, persisted) = (quota::estimate().await, quota::persisted().await);
    Storage {
        usage_bytes: estimate.map(|estimate| estimate.usage_bytes),
        quota_bytes: estimate.map(|estimate| estimate.quota_bytes),
        persisted,
        has_worker: has_worker(),
        limits: driver().read(|core| limits(core.policy())),
    }
}

/// Nearest first. The cache of pictures knows no user: it is asked for the image that a nearer layer names.
async fn holdings(user: &UserId) -> Vec<Holding> {
    let driver = driver();
    let (memory, limit) =
        driver.read(|core| (core.held_of(user, clock::now()), core.policy().rendition_bytes));
    let local = driver.shelves.on_local(|shelf| shelf.found(user)).map(|found| vec![found]);
    let lookups = |image| -> Vec<Lookup> {
        let wanted = |size| Wanted { user: user.clone(), size };
        Size::ALL.map(|size| Lookup { wanted: wanted(size), image }).into()
    };
    let durable = match driver.shelves.durable() {
        Some(shelf) => shelf.get_many(&lookups(None)).await,
        None => Err(LayerError::Unavailable),
    };
    let mut held =
        vec![memory, holding(Source::LocalStorage, local), holding(Source::IndexedDb, durable)];
    let image = held.iter().find_map(|holding| holding.image_id);
    let pictures = match driver.shelves.pictures() {
        Some(shelf) => shelf.get_many(&lookups(image), limit).await,
        None => Err(LayerError::Unavailable),
    };
    held.push(holding(Source::ServiceWorker, pictures));
    held
}

fn holding(layer: Source, found: Result<Vec<Found>, LayerError>) -> Holding {
    let Ok(found) = found else { return Holding::unreadable(layer) };
    let record: Option<CheckedRecord> = found.iter().find_map(|found| found.record.clone());
    let held: Vec<Rendition> = found.into_iter().filter_map(|found| found.rendition).collect();
    let fresh_for = driver().read(|core| core.policy().fresh_for(layer));
    Holding::new(layer, record.as_ref(), fresh_for, &held)
}

/// What a sync came to.
fn sentence(synced: Option<Synced>) -> String {
    let Some(Synced { people, pictures }) = synced else { return String::new() };
    let people = counted(people, "person", "people");
    match pictures {
        Some(pictures) => {
            format!("{people} and {} renewed.", counted(pictures, "picture", "pictures"))
        }
        None => format!("{people} renewed; the server cannot be reached."),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_told_in_words() {
        let cases = [
            (None, ""),
            (Some((12, Some(30))), "12 people and 30 pictures renewed."),
            (Some((1, Some(1))), "1 person and 1 picture renewed."),
            (Some((0, Some(0))), "0 people and 0 pictures renewed."),
            (Some((50, None)), "50 people renewed; the server cannot be reached."),
        ];
        for (synced, expected) in cases {
            let synced = synced.map(|(people, pictures)| Synced { people, pictures });
            assert_eq!(sentence(synced), expected);
        }
    }
}
