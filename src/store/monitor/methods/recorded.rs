//! What becomes of recordings.

use std::{cell::RefCell, time::Duration};

use js_sys::{Error, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use super::{Returned, account, promise};
use crate::{
    browser::{clock, json, number::whole, schedule},
    cache::{
        entry::Content,
        figure::Figure,
        metrics::Metrics,
        policy::Policy,
        replay::{Pseudonyms, Recording, Renamed},
        what_if::{Advised, Trial},
    },
    store::{driver::driver, record},
};

/// The longest time for which a slice may block the page.
const SLICE: Duration = Duration::from_millis(5);
/// Steps between two readings of the clock.
const STEPS: usize = 8;

/// Has the documents of this tab record what their cores are told, from the next one on, or no more; with settings
/// those are changed from then on. Without an argument leaves it so. Returns how many documents are recorded.
pub(in crate::store::monitor) fn record(wish: JsValue) -> Returned {
    if wish.is_undefined() {
        return Ok(u32::try_from(record::count()).unwrap_or(u32::MAX).into());
    }
    // Of this window, or of another.
    let policy = match wish.is_object() {
        true => Some(policy_with(wish.unchecked_ref())?),
        false => wish.is_truthy().then(Policy::default),
    };
    record::ask_for(policy.as_ref());
    Ok(0.into())
}

/// The policy in force with other settings.
fn policy_with(settings: &Object) -> Result<Policy, JsValue> {
    let mut policy = driver().read(|core| core.policy().clone());
    for name in Object::keys(settings) {
        let number = Reflect::get(settings, &name)?.as_f64();
        let number = number.filter(|number| number.fract() == 0.0 && *number >= 0.0);
        let number = number.ok_or_else(|| Error::new("A setting is a whole number."))?;
        let name = name.as_string().unwrap_or_default();
        policy.set(&name, whole(number)).map_err(|why| Error::new(&why.to_string()))?;
    }
    Ok(policy)
}

/// Resolves to what changes of the policy would have gained in what was recorded; null if nothing was.
pub(in crate::store::monitor) fn advise(_: JsValue) -> Returned {
    let session = account().map(|account| record::session(&account)).unwrap_or_default();
    Ok(promise(async {
        if session.is_empty() {
            return JsValue::NULL;
        }
        let mut trial = Trial::<Content>::new(session);
        while goes_on_for(SLICE, || trial.step()) {
            schedule::sleep(Duration::ZERO).await;
        }
        in_words(&trial.advised()).into()
    }))
}

/// With sentences, for the dashboard.
fn in_words(advised: &Advised) -> Option<JsValue> {
    let object = json::object(advised)?;
    let told = advised.advice.iter().map(|advice| AdviceInWords {
        changes: advice.changes_in_words(),
        gained: advice.gain_in_words(&advised.now),
        gain: Figure::Share(advice.points(&advised.now)).value(),
    });
    let told: Vec<AdviceInWords> = told.collect();
    Reflect::set(&object, &"said".into(), &advised.in_words().into()).ok()?;
    Reflect::set(&object, &"told".into(), &json::object(&told)?).ok()?;
    Some(object)
}

/// One advice: what to change, what that gains, and that in points of the hit rate.
#[derive(Serialize)]
struct AdviceInWords {
    changes: String,
    gained: String,
    gain: Option<String>,
}

/// Steps for so long; false once there is nothing more to do.
fn goes_on_for(slice: Duration, mut step: impl FnMut() -> bool) -> bool {
    let until = clock::now().running + slice;
    while clock::now().running < until {
        if !(0..STEPS).all(|_| step()) {
            return false;
        }
    }
    true
}

/// For everybody who is named in either.
pub(super) fn pseudonyms(metrics: &Metrics, session: &[Recording]) -> Pseudonyms {
    let users = metrics.recent.iter().map(|load| load.user.as_str().to_owned());
    let texts = RefCell::new(users.collect::<Vec<String>>());
    let note = |text: &str| {
        texts.borrow_mut().push(text.to_owned());
        String::new()
    };
    let _ = json::object(&Renamed(session, &note));
    Pseudonyms::of(texts.into_inner())
}
