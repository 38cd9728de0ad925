//! Reads what `JSON.parse` returned into types that derive serde's `Deserialize`.
//!
//! serde-wasm-bindgen does so too, and says what was wrong: the texts of its errors, which nobody
//! reads here, weigh 5 kB. Types that ask to see a value before they say what they are (untagged
//! enums, flattened fields, maps) are not read.

use std::fmt;

use js_sys::{Array, Object, Reflect};
use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
};
use wasm_bindgen::{JsCast, JsValue};

use crate::browser::number;

/// A value as `JSON.parse` makes them.
struct Value(JsValue);

/// The value is not of the shape asked for.
#[derive(Debug)]
struct OtherShape;

impl fmt::Display for OtherShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another shape")
    }
}

impl std::error::Error for OtherShape {}

/// Whatever it is: nothing of it is worded.
impl Error for OtherShape {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, OtherShape>;

impl Value {
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_string(self.0.as_string().ok_or(OtherShape)?)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let number = self.0.as_f64().ok_or(OtherShape)?;
        let whole = number::whole(number);
        match number::float(whole).total_cmp(&number).is_eq() {
            true => visitor.visit_u64(whole),
            false => visitor.visit_f64(number),
        }
    }

    fn items<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let items: Array = self.0.dyn_into().map_err(|_| OtherShape)?;
        visitor.visit_seq(Items { at: 0, items })
    }
}

/// The methods that do the same, by what they do.
macro_rules! same {
    ($($act:ident: $($method:ident)+;)+) => {
        $($(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.$act(visitor)
        })+)+
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = OtherShape;

    same! {
        text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
        number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
            deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64;
        items: deserialize_seq;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.0.as_bool().ok_or(OtherShape)?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.0.is_object() {
            return Err(OtherShape);
        }
        visitor.visit_map(Fields { names: fields.iter(), value: JsValue::NULL, object: self.0 })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if let Some(name) = self.0.as_string() {
            return visitor.visit_enum(Variant { name, content: JsValue::NULL });
        }
        // Of this window, or of another.
        let object: Object =
            if self.0.is_object() { self.0.unchecked_into() } else { return Err(OtherShape) };
        let entries = Object::entries(&object);
        let entry: Array = entries.get(0).dyn_into().map_err(|_| OtherShape)?;
        let name = entry.get(0).as_string().filter(|_| entries.length() == 1);
        visitor.visit_enum(Variant { name: name.ok_or(OtherShape)?, content: entry.get(1) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.items(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(OtherShape) }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(OtherShape)
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit_struct tuple_struct map ignored_any
    }
}

/// What an array holds.
struct Items {
    at: u32,
    items: Array,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = OtherShape;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.items.length() {
            return Ok(None);
        }
        self.at += 1;
        seed.deserialize(Value(self.items.get(self.at - 1))).map(Some)
    }
}

/// The fields of an object that have these names; others are not looked at.
struct Fields {
    names: std::slice::Iter<'static, &'static str>,
    value: JsValue,
    object: JsValue,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = OtherShape;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        for name in self.names.by_ref() {
            let value = Reflect::get(&self.object, &JsValue::from_str(name));
            self.value = value.map_err(|_| OtherShape)?;
            if !self.value.is_undefined() {
                return seed.deserialize(StrDeserializer::new(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(Value(std::mem::replace(&mut self.value, JsValue::NULL)))
    }
}

/// A variant: its name alone, or an object whose one field has its name.
struct Variant {
    name: String,
    content: JsValue,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = OtherShape;
    type Variant = Content;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content)> {
        let variant = seed.deserialize(StrDeserializer::new(&self.name))?;
        Ok((variant, Content(self.content)))
    }
}

/// What a variant holds.
struct Content(JsValue);

impl<'de> VariantAccess<'de> for Content {
    type Error = OtherShape;

    fn unit_variant(self) -> Result<()> {
        if self.0.is_null() { Ok(()) } else { Err(OtherShape) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(Value(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        Value(self.0).items(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        Value(self.0).deserialize_struct("", fields, visitor)
    }
}

/// What a value says; none if it is not of this shape.
pub(super) fn read<T: for<'de> Deserialize<'de>>(value: JsValue) -> Option<T> {
    T::deserialize(Value(value)).ok()
}
