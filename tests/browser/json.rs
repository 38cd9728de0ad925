//! What is read of JSON, beside what serde_json reads of it.

use miniature::{
    api::{Account, BatchEntry, FriendsPage, Problem, Profile, Record, Size},
    browser::json,
    cache::{
        document::{Document, DocumentKey},
        entry::CheckedRecord,
    },
};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use wasm_bindgen_test::wasm_bindgen_test;

const IMAGE: &str = "0123456789abcdef0123456789abcdef";

/// What is read, if both read the same or neither reads anything.
fn read<T: DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let read = json::read(text);
    let expected = serde_json::from_str(text).ok();
    assert_eq!(read, expected, "{text}");
    read
}

fn friend(name: &str) -> String {
    format!(
        r#"{{"user_id":"ada","name":"{name}","headline":"","picture":
            {{"user_id":"ada","revision":3,"image_id":"{IMAGE}","thumbhash":null}}}}"#
    )
}

#[wasm_bindgen_test]
fn what_the_server_and_layers_write_is_read() {
    let friends = format!(r#"{{"friends":[{},{}],"next":"x"}}"#, friend("Ada"), friend("عدا 🙂"));
    assert_eq!(read::<FriendsPage>(&friends).unwrap().friends.len(), 2);
    let document = format!(
        r#"{{"key":{{"Friends":null}},"body":{{"Friends":{friends}}},"etag":"W/\"x\"",
            "lineage":"1767225600000-0000000000000007","checked_at":1767225600000}}"#
    );
    assert!(read::<Document>(&document).is_some());
    assert!(read::<DocumentKey>(r#"{"Profile":"ada"}"#).is_some());
    let record = format!(r#"{{"user_id":"ada","revision":3,"image_id":"{IMAGE}"}}"#);
    let known = format!(r#"{{"record":{record},"lineage":null,"checked_at":9007199254740991}}"#);
    assert!(read::<CheckedRecord>(&known).is_some(), "a field that may be absent is");
    assert!(read::<BatchEntry>(r#"{"user_id":"nobody","error":"not_found"}"#).is_some());
    let account = r#"{"user_id":"ada","name":"Ada","more":{"of":[1,null]},"picture":
        {"user_id":"ada","revision":0,"image_id":null,"thumbhash":"x"}}"#;
    assert!(read::<Account>(account).is_some(), "what is not known is not looked at");
    assert!(read::<Vec<Size>>("[64,128,256,512]").is_some());
    assert!(read::<Problem>(r#"{"type":"/x","title":"X","status":422}"#).is_some());
}

#[wasm_bindgen_test]
fn what_is_of_another_shape_is_not_read() {
    let record = |revision: &str| format!(r#"{{"user_id":"ada","revision":{revision}}}"#);
    assert!(read::<Record>(&record("4294967295")).is_some());
    let no_revisions =
        ["4294967296", "-1", "1.5", "1e300", "\"3\"", "null", "true", "[3]", "{}", "", "3,"];
    for revision in no_revisions {
        assert_eq!(read::<Record>(&record(revision)), None, "{revision}");
    }
    let no_records = ["{}", "null", "3", "\"ada\"", "[[]]", r#"{"revision":3}"#, "{", "<html>", ""];
    for text in no_records {
        assert_eq!(read::<Record>(text), None, "{text}");
    }
    let no_keys = [
        r#"{"Profile":"ada","Friends":null}"#,
        r#"{"Profiles":"ada"}"#,
        r#"{"Profile":null}"#,
        r#"{"Profile":"../ada"}"#,
        r#""Profile""#,
        "{}",
        "[]",
        "7",
    ];
    for text in no_keys {
        assert_eq!(read::<DocumentKey>(text), None, "{text}");
    }
    for text in [r#"{"user_id":"ada","error":"gone"}"#, r#"{"user_id":"ada"}"#] {
        assert_eq!(read::<BatchEntry>(text), None, "{text}");
    }
    assert_eq!(read::<Vec<Size>>("[64,65]"), None);
    assert_eq!(read::<Profile>(&friend("Ada")[1..]), None);
}
