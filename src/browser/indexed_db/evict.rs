//! What goes when there is too much: the least recently used, renditions before records.

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{IdbIndex, IdbKeyRange, IdbObjectStore};

use super::{
    BY_AGE, Done,
    ledger::Ledger,
    request,
    row::{Kind, Rank},
};
use crate::{
    browser::number,
    cache::{
        clock::Timestamp,
        eviction::{Limits, Usage},
    },
};

/// How many rows are looked at in one request.
const AT_ONCE: usize = 64;

/// Evicts until the limits hold: the least recently used first, and before them what a clock that
/// ran ahead says was used later than `now`. `spared` names rows as they stand in `uses`.
pub(super) async fn evict(
    ledger: &mut Ledger,
    limits: Limits,
    spared: &[String],
    now: Timestamp,
) -> Done<()> {
    if ledger.sum.entries <= limits.entries && ledger.sum.bytes <= limits.bytes {
        return Ok(());
    }
    let is_crowded = ledger.sum.entries > limits.entries;
    let entries = if is_crowded { limits.trim_entries_to } else { limits.entries };
    let limits = Limits { entries: entries.min(limits.entries), ..limits };
    let by_age = ledger.uses.index(BY_AGE)?;
    let ahead = IdbKeyRange::lower_bound(&Array::of1(&after(now)))?;
    for range in [ahead.into(), JsValue::NULL] {
        while !holds(ledger, limits) {
            if !evict_some(ledger, &by_age, &range, limits, spared).await? {
                break;
            }
        }
    }
    if spared.is_empty() && !holds(ledger, limits) {
        // Nothing is left, whatever the sum says.
        ledger.sum = Usage::default();
    }
    Ok(())
}

fn holds(ledger: &Ledger, limits: Limits) -> bool {
    ledger.sum.entries <= limits.entries && ledger.sum.bytes <= limits.bytes
}

/// Evicts the oldest rows of a range; false if there are none but those to be spared.
async fn evict_some(
    ledger: &mut Ledger,
    by_age: &IdbIndex,
    range: &JsValue,
    limits: Limits,
    spared: &[String],
) -> Done<bool> {
    let at_once = u32::try_from(spared.len().saturating_add(AT_ONCE)).unwrap_or(u32::MAX);
    let names = request::result(by_age.get_all_keys_with_key_and_limit(range, at_once));
    let uses = request::result(by_age.get_all_with_key_and_limit(range, at_once));
    let (names, uses) = (Array::from(&names.await?), Array::from(&uses.await?));
    let mut evicted = false;
    for (name, held) in names.iter().zip(uses.iter()) {
        let text = name.as_string().unwrap_or_default();
        if spared.contains(&text) {
            continue;
        }
        if holds(ledger, limits) {
            break;
        }
        let rank = if text.contains('/') { Rank::Rendition } else { Rank::Record };
        ledger.remove_used(rank, &name, &held)?;
        evicted = true;
    }
    Ok(evicted)
}

/// Removes what is more than `most` documents of a kind: those stored first, and before them what a
/// clock that ran ahead says was stored later than `now`.
pub(super) async fn prune(
    pages: &IdbObjectStore,
    kind: Kind,
    most: usize,
    now: Timestamp,
) -> Done<()> {
    let by_age = pages.index(BY_AGE)?;
    let kind = JsValue::from(kind as u8);
    // An array comes after every number.
    let end = Array::of2(&kind, &Array::new());
    let all = IdbKeyRange::bound(&Array::of1(&kind), &end)?;
    let ahead = IdbKeyRange::bound(&Array::of2(&kind, &after(now)), &end)?;
    let count = request::result(by_age.count_with_key(&all)).await?.as_f64().unwrap_or(0.0);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let count = u32::try_from(number::whole(count)).unwrap_or(u32::MAX);
    let mut surplus = count.saturating_sub(most);
    for range in [ahead, all] {
        if surplus == 0 {
            break;
        }
        let names = by_age.get_all_keys_with_key_and_limit(&range, surplus);
        let names = Array::from(&request::result(names).await?);
        names.iter().try_for_each(|name| pages.delete(&name).map(drop))?;
        surplus = surplus.saturating_sub(names.length());
    }
    Ok(())
}

/// The first time after `now`, as a key.
fn after(now: Timestamp) -> JsValue {
    number::float(now.0.saturating_add(1)).into()
}
