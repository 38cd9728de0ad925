//! Reads `multipart/form-data`: the answers that carry JSON and pictures together.
//!
//! Strict: what RFC 7578 lets a sender leave out or add, and our server does not, is refused.
//! Nothing is copied, and no input makes it panic.
//!
//! # Source
//!
//! RFC 7578, Returning Values from Forms: multipart/form-data, over the framing of RFC 2046,
//! section 5.1.1.

use thiserror::Error;

/// The most parts that are read. One for JSON and one a picture, with room to spare.
const PARTS_AT_MOST: usize = 256;

/// The longest head of a part, in bytes.
const HEAD_AT_MOST: usize = 1024;

/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_AT_MOST: usize = 70;

/// Why a body is not `multipart/form-data` as our server sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MultipartError {
    /// The content type is another one, or names no usable boundary.
    #[error("the content type is not multipart/form-data with a boundary")]
    ContentType,
    /// A boundary is missing: the body is cut off, or something else.
    #[error("the body is not framed by its boundary")]
    Framing,
    /// A part whose head is too long, or does not name the part.
    #[error("a part has no readable head")]
    Head,
    /// More parts than any answer has.
    #[error("the body has too many parts")]
    TooMany,
}

/// One part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: &'a str,
    /// The media type; none if the part does not state one.
    pub content_type: Option<&'a str>,
    /// The content.
    pub bytes: &'a [u8],
}

/// Takes a body apart. `content_type` is the header of that name.
///
/// # Errors
///
/// [`MultipartError`], what is wrong with it; nothing of the body is then returned.
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, MultipartError> {
    match whole_parts(content_type, body)? {
        (parts, b"--" | b"--\r\n") => Ok(parts),
        _ => Err(MultipartError::Framing),
    }
}

/// The parts that are whole of a body that is still arriving, the first of all its parts first.
///
/// # Errors
///
/// [`MultipartError`], what is wrong with what is here, or too little of it.
pub fn arrived<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, MultipartError> {
    Ok(whole_parts(content_type, body)?.0)
}

/// All whole parts, and what follows the last of their delimiters.
fn whole_parts<'a>(
    content_type: &str,
    body: &'a [u8],
) -> Result<(Vec<Part<'a>>, &'a [u8]), MultipartError> {
    let boundary = boundary(content_type).ok_or(MultipartError::ContentType)?;
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    // The first delimiter has no line before it that it would have to end.
    let mut rest = body.strip_prefix(&delimiter[2..]).ok_or(MultipartError::Framing)?;
    let mut parts = Vec::new();
    while let Some(begun) = rest.strip_prefix(b"\r\n") {
        if parts.len() == PARTS_AT_MOST {
            return Err(MultipartError::TooMany);
        }
        let Some((part, after)) = split_at(begun, delimiter) else {
            break;
        };
        parts.push(read_part(part)?);
        rest = after;
    }
    Ok((parts, rest))
}

/// The `boundary` of a content type, as a token or quoted.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b);
    let fits = (1..=BOUNDARY_AT_MOST).contains(&boundary.len());
    (fits && boundary.bytes().all(valid)).then_some(boundary)
}

/// A parameter of a header. None of the values that we read contains a semicolon or a quote.
fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        if !name.eq_ignore_ascii_case(wanted) {
            return None;
        }
        match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"'),
            None => Some(value),
        }
    })
}

/// Splits before the first delimiter, and drops it.
fn split_at<'a>(bytes: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|b| *b == b'\r')?;
        if let Some(after) = bytes[at..].strip_prefix(delimiter) {
            return Some((&bytes[..at], after));
        }
        from = at + 1;
    }
}

fn read_part(part: &[u8]) -> Result<Part<'_>, MultipartError> {
    let longest = &part[..part.len().min(HEAD_AT_MOST)];
    let end = longest.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or(MultipartError::Head)?;
    let head = std::str::from_utf8(&part[..end]).map_err(|_| MultipartError::Head)?;
    let disposition = header(head, "content-disposition").ok_or(MultipartError::Head)?;
    let name = field_name(disposition).ok_or(MultipartError::Head)?;
    Ok(Part { name, content_type: header(head, "content-type"), bytes: &part[end + 4..] })
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then_some(value.trim())
    })
}

/// The name in a content disposition. Our names need no escape, so one is not understood.
fn field_name(disposition: &str) -> Option<&str> {
    let (kind, parameters) = disposition.split_once(';')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    parameter(parameters, "name").filter(|name| {
        kind.eq_ignore_ascii_case("form-data") && !name.is_empty() && name.bytes().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=line";

    fn write(boundary: &str, parts: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: image/webp\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }

    #[test]
    fn a_body_is_taken_apart() {
        let body = b"--line\r\nContent-Disposition: form-data; name=\"records\"\r\n\r\n[]\r\n\
            --line\r\ncontent-type: image/webp\r\ncontent-disposition: form-data; name=abc; \
            filename=\"abc.webp\"\r\n\r\n\r\n--lin\r\n--line--\r\n";
        let expected = [
            Part { name: "records", content_type: None, bytes: b"[]" },
            Part { name: "abc", content_type: Some("image/webp"), bytes: b"\r\n--lin" },
        ];
        assert_eq!(parts(TYPE, body).unwrap(), expected);
    }

    #[test]
    fn what_is_not_as_promised_is_refused() {
        let head = "Content-Disposition: form-data; name=\"a\"";
        let long = format!("{head}\r\nX: {}", "x".repeat(HEAD_AT_MOST));
        let part = |head: &str| format!("--line\r\n{head}\r\n\r\nx\r\n--line--");
        let whole = part(head);
        let many = "--line\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(257);
        let cases = [
            (
                "another type",
                "text/html; boundary=line",
                whole.as_str(),
                MultipartError::ContentType,
            ),
            ("no boundary", "multipart/form-data", &whole, MultipartError::ContentType),
            (
                "a boundary that breaks the frame",
                "multipart/form-data; boundary=\"\r\n\"",
                &whole,
                MultipartError::ContentType,
            ),
            ("nothing", TYPE, "", MultipartError::Framing),
            ("a preamble", TYPE, &format!("hello\r\n{whole}"), MultipartError::Framing),
            ("an epilogue", TYPE, &format!("{whole}\r\nbye"), MultipartError::Framing),
            ("cut off", TYPE, &whole[..whole.len() - 2], MultipartError::Framing),
            ("cut off in a part", TYPE, &whole[..20], MultipartError::Framing),
            ("no head", TYPE, "--line\r\nx\r\n--line--", MultipartError::Head),
            ("a head without a name", TYPE, &part("Content-Type: a/b"), MultipartError::Head),
            (
                "an empty name",
                TYPE,
                &part("Content-Disposition: form-data; name=\"\""),
                MultipartError::Head,
            ),
            ("a head without an end", TYPE, &part(&long), MultipartError::Head),
            ("too many parts", TYPE, &format!("{many}--line--"), MultipartError::TooMany),
        ];
        for (name, kind, body, expected) in cases {
            assert_eq!(parts(kind, body.as_bytes()), Err(expected), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            written in prop::collection::vec(("[A-Za-z0-9_-]{1,40}", any::<Vec<u8>>()), 0..20),
        ) {
            let boundary = "a-boundary-in-no-content-7f3a";
            let body = write(boundary, &written);
            if written.is_empty() {
                prop_assert!(parts(TYPE, &body).is_err());
                return Ok(());
            }
            let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
            let read = parts(&kind, &body).unwrap();
            let read: Vec<_> =
                read.iter().map(|part| (part.name.to_owned(), part.bytes.to_vec())).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn what_has_arrived_is_the_beginning(
            written in prop::collection::vec(("[A-Za-z0-9_-]{1,40}", any::<Vec<u8>>()), 1..20),
            cut: prop::sample::Index,
        ) {
            let body = write("line", &written);
            let all = parts(TYPE, &body).unwrap();
            let read = arrived(TYPE, &body[..cut.index(body.len())]).unwrap_or_default();
            prop_assert!(all.starts_with(&read));
            prop_assert_eq!(arrived(TYPE, &body).unwrap(), all);
        }

        #[test]
        fn nothing_makes_it_panic(
            kind in "(multipart/form-data; boundary=[\"]?)?\\PC{0,80}",
            body: Vec<u8>,
        ) {
            let _ = parts(&kind, &body);
        }

        #[test]
        fn a_damaged_body_makes_it_refuse_or_read_other_parts(
            at in 0_usize..200,
            byte: u8,
            cut in 0_usize..200,
        ) {
            let mut body = write("line", &[("a".into(), vec![7; 20]), ("b".into(), vec![9; 20])]);
            let at = at % body.len();
            body[at] = byte;
            body.truncate(cut.max(1));
            let _ = parts(TYPE, &body);
        }
    }
}
