//! Identities: of a user, and of an image's content.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// Why a text is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not 1 to 64 characters out of `A-Z a-z 0-9 _ -`.
    #[error("a user id has 1 to 64 characters out of A-Z, a-z, 0-9, _ and -")]
    User,
    /// Not 32 lowercase hexadecimal digits.
    #[error("an image id has 32 lowercase hexadecimal digits")]
    Image,
    /// Not a UUID in lower case.
    #[error("a post id is a UUID in lower case")]
    Post,
}

/// Names a user. Opaque; 1 to 64 characters out of `A-Z a-z 0-9 _ -`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$", examples("ada")))]
pub struct UserId(Arc<str>);

/// Names an image by its content: the first 128 bits of BLAKE3 over the uploaded bytes, as 32
/// lowercase hexadecimal digits. Never goes stale.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{32}$"))]
pub struct ImageId([u8; 16]);

impl UserId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::User)
        }
    }
}

impl ImageId {
    /// The id of content whose BLAKE3 hash begins with these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl FromStr for ImageId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let text = text.as_bytes();
        if text.len() != 32 {
            return Err(IdError::Image);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or(IdError::Image)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        // A list of 50 pictures names each several times.
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

// By hand: derived with `into = "String"`, each would be copied into a text of its own first.

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for ImageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageId({self})")
    }
}

impl TryFrom<String> for UserId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl TryFrom<String> for ImageId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_checked_where_it_is_parsed() {
        let long = "a".repeat(64);
        let too_long = "a".repeat(65);
        let cases = [
            ("plain", "ada", true),
            ("every kind of character", "Ada_Lovelace-1815", true),
            ("the longest", &long, true),
            ("too long", &too_long, false),
            ("empty", "", false),
            ("a path", "../ada", false),
            ("not ASCII", "adä", false),
            ("a separator of ours", "ada:1", false),
        ];
        for (name, text, valid) in cases {
            assert_eq!(text.parse::<UserId>().is_ok(), valid, "{name}");
        }
    }

    #[test]
    fn an_image_id_is_checked_where_it_is_parsed() {
        let cases = [
            ("plain", "0123456789abcdef0123456789abcdef", true),
            ("upper case", "0123456789ABCDEF0123456789abcdef", false),
            ("short", "0123456789abcdef", false),
            ("no digit", "g123456789abcdef0123456789abcdef", false),
        ];
        for (name, text, valid) in cases {
            assert_eq!(text.parse::<ImageId>().is_ok(), valid, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_image_id_reads_as_it_is_written(bytes: [u8; 16]) {
            let id = ImageId::from_bytes(bytes);
            proptest::prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
