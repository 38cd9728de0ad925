//! JSON, which the browser reads and writes with code that it has anyway.

mod value;

use js_sys::Array;
use serde::{Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// What a text says; none if it is not JSON, or not of this shape.
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let value = js_sys::JSON::parse(text).ok()?;
    value::read(value)
}

/// What an object says; none if it is not of this shape.
pub fn read_object<T: DeserializeOwned>(object: JsValue) -> Option<T> {
    value::read(object)
}

/// The lines of an array that are of this shape, without the others; none if it is no array.
pub fn read_lines<T: DeserializeOwned>(text: &str) -> Option<Vec<T>> {
    let lines: Array = js_sys::JSON::parse(text).ok()?.dyn_into().ok()?;
    Some(lines.iter().filter_map(value::read).collect())
}

/// A value as the object that its text would be parsed into; none if it has no place in JSON.
pub fn object(value: &impl Serialize) -> Option<JsValue> {
    value.serialize(&Serializer::json_compatible()).ok()
}

/// A value as text; none if it has no place in JSON.
pub fn write(value: &impl Serialize) -> Option<String> {
    let value = object(value)?;
    js_sys::JSON::stringify(&value).ok().map(String::from)
}
