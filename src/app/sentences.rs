//! What is said when a change could not be made, and what can be done about it.

use crate::store::{ChangeError, FileError};

/// Of a file that cannot be a profile picture.
pub(in crate::app) fn about_file(error: FileError) -> &'static str {
    match error {
        FileError::Empty => "This file is empty. Choose another.",
        FileError::TooLarge => "This file is over 60 MB. Choose a smaller picture.",
        FileError::Heic => {
            "This browser can’t read HEIC pictures. Choose a JPEG, PNG, GIF or WebP."
        }
        FileError::Unreadable => {
            "This is no picture that can be read. Choose a JPEG, PNG, GIF or WebP."
        }
    }
}

/// Of a change that was not made. What was before is shown.
pub(in crate::app) fn about_change(error: &ChangeError) -> String {
    match error {
        ChangeError::Refused(413, _) => "This picture is too large. Choose a smaller one.".into(),
        ChangeError::Refused(415, _) => {
            "This is no picture that can be read. Choose a JPEG, PNG, GIF or WebP.".into()
        }
        ChangeError::Refused(_, why) => format!("This can’t be kept: {why}."),
        ChangeError::TooMany(Some(wait)) => {
            format!("Too many changes. Wait {} seconds, then try again.", wait.as_secs().max(1))
        }
        ChangeError::TooMany(None) => "Too many changes. Wait a little, then try again.".into(),
        ChangeError::SignedOut => "Your session has ended. Sign in, then try again.".into(),
        ChangeError::Unreachable => {
            "The server can’t be reached: nothing was changed. Try again in a moment.".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_refusal_is_a_sentence_that_says_what_to_do() {
        let refusals = [
            ChangeError::Refused(413, "the body is too long".into()),
            ChangeError::Refused(415, "a picture is a JPEG".into()),
            ChangeError::Refused(422, "it does not decode".into()),
            ChangeError::TooMany(Some(Duration::from_millis(300))),
            ChangeError::TooMany(None),
            ChangeError::SignedOut,
            ChangeError::Unreachable,
        ];
        for refusal in refusals {
            let text = about_change(&refusal);
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{text}");
        }
        assert!(about_change(&ChangeError::TooMany(Some(Duration::ZERO))).contains("1 seconds"));
    }
}
