//! The accounts that have a database.

use js_sys::{Array, Promise, Reflect};
use miniature_api::UserId;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use super::{Done, PREFIX, connection};

#[wasm_bindgen]
extern "C" {
    type Factory;
    #[wasm_bindgen(method, catch)]
    fn databases(this: &Factory) -> Result<Promise, JsValue>;
}

/// The accounts that have a database; none where the browser does not say.
pub async fn accounts() -> Vec<UserId> {
    let names = names().await.unwrap_or_default();
    names.iter().filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect()
}

async fn names() -> Done<Vec<String>> {
    let factory = connection::factory().map_err(|_| JsValue::NULL)?;
    let listed = JsFuture::from(factory.unchecked_into::<Factory>().databases()?).await?;
    let name_of = |info: JsValue| Reflect::get(&info, &"name".into()).ok()?.as_string();
    Ok(listed.dyn_into::<Array>()?.iter().filter_map(name_of).collect())
}
