//! The query, each mistake in it named.

use std::{convert::Infallible, fmt::Display, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::ApiError;

/// The parameters of a query. Those that a route does not know are ignored.
#[derive(Clone, Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter's value, or none if it is not there.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is no such value, or there twice.
    pub(crate) fn optional<T>(&self, name: &'static str) -> Result<Option<T>, ApiError>
    where
        T: FromStr<Err: Display>,
    {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let Some((_, text)) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(ApiError::invalid(name, "give it once"));
        }
        let value = text.parse().map_err(|error: T::Err| ApiError::invalid(name, error))?;
        Ok(Some(value))
    }

    /// A parameter that is 0 or 1, or none if it is not there.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is neither, or there twice.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        match self.optional::<String>(name)?.as_deref() {
            None => Ok(None),
            Some("0") => Ok(Some(false)),
            Some("1") => Ok(Some(true)),
            Some(_) => Err(ApiError::invalid(name, "it is 0 or 1")),
        }
    }

    /// A parameter's value.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is not there, there twice, or no such value.
    pub(crate) fn required<T>(&self, name: &'static str) -> Result<T, ApiError>
    where
        T: FromStr<Err: Display>,
    {
        self.optional(name)?.ok_or_else(|| ApiError::invalid(name, "it is missing"))
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use miniature_api::Size;

    use super::*;

    #[test]
    fn each_mistake_names_its_parameter() {
        let cases = [
            ("size=64", Ok(Size::S64)),
            ("other=1&size=%36%34", Ok(Size::S64)),
            ("", Err("it is missing")),
            ("size=", Err("a size is 64, 128, 256 or 512")),
            ("size=65", Err("a size is 64, 128, 256 or 512")),
            ("size=64&size=64", Err("give it once")),
        ];
        for (query, expected) in cases {
            match (Params::parse(query).required::<Size>("size"), expected) {
                (Ok(size), Ok(expected)) => assert_eq!(size, expected, "{query}"),
                (Err(ApiError::Invalid { field: "size", detail }), Err(expected)) => {
                    assert_eq!(detail, expected, "{query}");
                }
                (other, _) => panic!("{query}: {other:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_read_and_what_was_written_comes_back(query: String, value: String) {
            let _ = Params::parse(&query).optional::<Size>("size");
            let mut written = form_urlencoded::Serializer::new(String::new());
            written.append_pair("other", &query).append_pair("value", &value);
            let read = Params::parse(&written.finish()).required::<String>("value");
            proptest::prop_assert_eq!(read.unwrap(), value);
        }
    }
}
