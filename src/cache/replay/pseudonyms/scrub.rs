//! Serializes a value with other texts.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

type Names<'n> = &'n dyn Fn(&str) -> String;

/// A value, and what stands in the place of each of its texts.
pub(super) struct Scrubbed<'n, T: ?Sized>(pub(super) &'n T, pub(super) Names<'n>);

impl<T: Serialize + ?Sized> Serialize for Scrubbed<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Scrub { inner, names: self.1 })
    }
}

/// A serializer that is told other texts.
struct Scrub<'n, S> {
    inner: S,
    names: Names<'n>,
}

/// Passes on what has no text in it.
macro_rules! pass_on {
    ($($method:ident: $kind:ty,)+) => {
        $(fn $method(self, value: $kind) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })+
    };
}

impl<'n, S: Serializer> Serializer for Scrub<'n, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Scrub<'n, S::SerializeSeq>;
    type SerializeTuple = Scrub<'n, S::SerializeTuple>;
    type SerializeTupleStruct = Scrub<'n, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Scrub<'n, S::SerializeTupleVariant>;
    type SerializeMap = Scrub<'n, S::SerializeMap>;
    type SerializeStruct = Scrub<'n, S::SerializeStruct>;
    type SerializeStructVariant = Scrub<'n, S::SerializeStructVariant>;

    pass_on! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_bytes: &[u8],
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_str(&(self.names)(text))
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Scrubbed(value, self.names))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Scrubbed(value, self.names))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Scrubbed(value, self.names);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Scrub { inner: self.inner.serialize_seq(len)?, names: self.names })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Scrub { inner: self.inner.serialize_tuple(len)?, names: self.names })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(Scrub { inner: self.inner.serialize_tuple_struct(name, len)?, names: self.names })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Scrub { inner, names: self.names })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Scrub { inner: self.inner.serialize_map(len)?, names: self.names })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Scrub { inner: self.inner.serialize_struct(name, len)?, names: self.names })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Scrub { inner, names: self.names })
    }
}

/// The parts of a list.
macro_rules! list {
    ($($kind:ident: $method:ident,)+) => {
        $(impl<S: $kind> $kind for Scrub<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.inner.$method(&Scrubbed(value, self.names))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })+
    };
}

list! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// The fields of a struct.
macro_rules! fields {
    ($($kind:ident)+) => {
        $(impl<S: $kind> $kind for Scrub<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                self.inner.serialize_field(name, &Scrubbed(value, self.names))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })+
    };
}

fields! { SerializeStruct SerializeStructVariant }

impl<S: SerializeMap> SerializeMap for Scrub<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        // A flattened struct is written as a map of its fields: their names are none of a person.
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&Scrubbed(value, self.names))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
