use axum::http::{Method, StatusCode};
use miniature_api::{PictureAnswer, Profile, Revision, Size};
use miniature_server::{images::PictureError, storage::PictureChange};

use crate::fixture::{Fixture, picture_of, png, user};

#[tokio::test]
async fn a_profile_says_who_someone_is() {
    let t = Fixture::new().await;
    let browser = t.browser("zoe").await;

    let answer = browser.get("/api/users/ada").await;

    let profile = answer.json::<Profile>();
    assert_eq!((profile.name.as_str(), profile.friend_count), ("Ada Lovelace", 4));
    assert_eq!(profile.picture.image_id, Some(picture_of("ada")));
    let held = browser.get_with("/api/users/ada", "if-none-match", answer.header("etag")).await;
    assert_eq!(held.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_hint_leads_to_the_picture() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for size in Size::ALL {
        let path = format!("/api/images/user/bea?size={size}");
        let answer = browser.get(&path).await;
        let picture = answer.json::<PictureAnswer>();
        let hint = picture.hint.unwrap();

        let image = browser.get(&hint.url).await;

        assert_eq!(image.status, StatusCode::OK);
        assert_eq!(image.body.len() as u64, hint.bytes);
        assert_eq!(image.header("content-type"), hint.content_type);
        let held = browser.get_with(&path, "if-none-match", answer.header("etag")).await;
        assert_eq!(held.status, StatusCode::NOT_MODIFIED);
        assert_eq!(held.header("cache-control"), "private, no-cache");
    }
}

#[tokio::test]
async fn one_without_a_picture_has_a_record_and_no_hint() {
    let t = Fixture::new().await;
    let answer = t.browser("ada").await.get("/api/images/user/noah?size=256").await;
    let picture = answer.json::<PictureAnswer>();
    assert_eq!((picture.record.image_id, picture.hint), (None, None));
}

#[tokio::test]
async fn a_picture_is_kept_by_browsers_for_good() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let path = format!("/images/{}?size=128", picture_of("bea"));

    let answer = browser.get(&path).await;

    assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(answer.header("etag"), format!("\"{}-128\"", picture_of("bea")));
    assert_eq!(answer.header("vary"), "");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let held = browser.get_with(&path, "if-none-match", answer.header("etag")).await;
    assert_eq!(held.status, StatusCode::NOT_MODIFIED);
    assert_eq!(held.header("cache-control"), "private, max-age=31536000, immutable");
    let head = browser.send(Method::HEAD, &path, &[]).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn an_answer_says_which_layer_had_the_picture() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let path = format!("/images/{}?size=128", picture_of("bea"));
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    let cases = [("MISS", "master"), ("HIT", "memory")];
    for (cache, layer) in cases {
        let answer = browser.get(&path).await;
        assert_eq!(answer.header("x-cache"), cache);
        let timing = format!("renditions;desc=\"{layer}\";dur=");
        assert!(answer.header("server-timing").starts_with(&timing), "{layer}");
    }
    let other = format!("/images/{}?size=128", picture_of("cem"));
    browser.get(&other).await;
    assert!(t.folder.path().join("renditions").exists(), "what was made is kept");
}

#[tokio::test]
async fn a_rendition_that_was_cut_off_is_made_again() {
    let t = Fixture::new().await;
    let image = picture_of("bea").to_string();
    let file = format!("renditions/{}/{image}-64.webp", &image[..2]);
    std::fs::write(t.folder.path().join(file), b"RIFF").unwrap();
    let answer = t.browser("ada").await.get(&format!("/images/{image}?size=64")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("x-cache"), "MISS");
}

#[tokio::test]
async fn a_damaged_master_is_whole_again_when_it_is_uploaded_again() {
    let t = Fixture::new().await;
    let (browser, image) = (t.browser("ada").await, picture_of("ada").to_string());
    let master = t.folder.path().join(format!("masters/{}/{image}.webp", &image[..2]));
    let whole = std::fs::read(&master).unwrap();
    std::fs::write(&master, &whole[..whole.len() / 2]).unwrap();
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    let path = format!("/images/{image}?size=64");
    assert_eq!(browser.get(&path).await.status, StatusCode::INTERNAL_SERVER_ERROR);

    assert_eq!(browser.put(&[], png(0)).await.status, StatusCode::OK);

    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
    assert!(std::fs::read(&master).unwrap() == whole);
}

#[tokio::test]
async fn each_change_counts_up_and_is_seen_at_once() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let path = "/api/images/user/bea?size=64";
    let before = browser.get(path).await;

    let change = t.collection.pictures.set_picture(&user("bea"), png(200)).await.unwrap();

    let PictureChange::Changed(bea) = change else { panic!("{change:?}") };
    assert_eq!(bea.picture.revision, Revision(2));
    let after = browser.get_with(path, "if-none-match", before.header("etag")).await;
    assert_eq!(after.json::<PictureAnswer>().record, bea.profile.picture);
}

#[tokio::test]
async fn the_same_picture_again_changes_nothing() {
    let t = Fixture::new().await;
    let again = t.collection.pictures.set_picture(&user("bea"), png(1)).await;
    let PictureChange::AlreadySo(bea) = again.unwrap() else { panic!("a change") };
    assert_eq!(bea.picture.revision, Revision(1));
    let nobody = t.collection.pictures.set_picture(&user("nobody"), png(1)).await;
    assert_eq!(nobody.unwrap(), PictureChange::NoSuchUser);
}

#[tokio::test]
async fn a_refused_upload_leaves_the_picture_as_it_was() {
    let t = Fixture::new().await;
    let refused = t.collection.pictures.set_picture(&user("bea"), "<html>".into()).await;
    assert!(matches!(refused, Err(PictureError::Refused(_))));
    let answer = t.browser("ada").await.get("/api/images/user/bea?size=64").await;
    assert_eq!(answer.json::<PictureAnswer>().record.image_id, Some(picture_of("bea")));
}
