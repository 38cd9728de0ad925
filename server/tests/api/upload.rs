use std::{
    convert::Infallible,
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, StatusCode},
};
use futures_util::{StreamExt, future::join_all, stream};
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use miniature_api::{PictureAnswer, Problem, Record, Revision, Size};
use miniature_pixels::Square;
use miniature_server::{images::image_id, limits::Limits};
use tokio::sync::mpsc;

use crate::fixture::{Fixture, PEOPLE, config, picture_of, png};

/// The longest upload, in bytes.
const LONGEST: usize = 10 << 20;

fn sample(name: &str) -> Bytes {
    let pixels = Path::new(env!("CARGO_MANIFEST_DIR")).join("pixels");
    fs::read(pixels.join(name)).unwrap().into()
}

/// Every file that is kept, by its path.
fn kept(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(kept(&path));
        } else {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn an_upload_shows_in_every_size_at_once() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;

    let answer = browser.put(&[], png(200)).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let record = answer.json::<Record>();
    assert_eq!((record.revision, record.image_id), (Revision(2), Some(image_id(&png(200)))));
    for size in Size::ALL {
        let path = format!("/api/images/user/ada?size={size}");
        let shown = browser.get(&path).await.json::<PictureAnswer>();
        assert_eq!(shown.record, record);
        let image = browser.get(&shown.hint.unwrap().url).await;
        assert_eq!(image.header("x-cache"), "HIT", "{size} is ready");
        let square = Square::from_master(&image.body).unwrap();
        assert_eq!(square.edge(), size.px());
        assert!(square.rgba()[0].abs_diff(200) < 4, "{:?}", &square.rgba()[..4]);
    }
}

#[tokio::test]
async fn what_a_browser_keeps_for_its_first_frame_is_small_whatever_it_shows() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(128, 128, |_, _| {
        Rgb([(); 3].map(|()| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&noise).unwrap();

    let image = browser.put(&[], Bytes::from(jpeg)).await.json::<Record>().image_id.unwrap();

    for size in [Size::S64, Size::PREVIEW] {
        let answer = browser.get(&format!("/images/{image}?size={size}")).await;
        assert_eq!(Square::from_master(&answer.body).unwrap().edge(), size.px());
        let bytes = answer.body.len();
        assert!(bytes <= Size::PREVIEW_BYTES, "{size} px: {bytes} bytes");
    }
}

#[tokio::test]
async fn the_content_decides_whatever_it_is_called() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for (revision, name) in (2..).zip(["plain.jpg", "plain.png", "animated.gif", "plain.webp"]) {
        let photograph = sample(&format!("photographs/{name}"));
        for called in ["text/html", "image/gif", "nonsense"] {
            let answer = browser.put(&[("content-type", called)], photograph.clone()).await;
            assert_eq!(answer.json::<Record>().revision, Revision(revision), "{name} {called}");
        }
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_changes_nothing() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let cases = [
        ("nothing", Bytes::new(), 415, None),
        ("a page", "<html>".into(), 415, None),
        ("a drawing", "<svg xmlns='http://www.w3.org/2000/svg'/>".into(), 415, None),
        ("cut off", png(3).slice(..40), 422, Some("body")),
        ("a bomb", sample("corpus/large-png-400-megapixels.png"), 422, Some("body")),
        ("too long", vec![0; LONGEST + 1].into(), 413, None),
    ];
    for (name, upload, status, field) in cases {
        let answer = browser.put(&[("content-type", "image/png")], upload).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
        assert_eq!(answer.json::<Problem>().field.as_deref(), field, "{name}");
    }
    let shown = browser.get("/api/images/user/ada?size=64").await.json::<PictureAnswer>();
    assert_eq!(
        (shown.record.revision, shown.record.image_id),
        (Revision(1), Some(picture_of("ada")))
    );
}

/// A body without an end, and how many bytes of it were read.
fn endless() -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let body = stream::repeat_with(move || {
        counter.fetch_add(1 << 16, Ordering::SeqCst);
        Ok::<_, Infallible>(Bytes::from_static(&[0; 1 << 16]))
    });
    (Body::from_stream(body), read)
}

#[tokio::test]
async fn what_is_too_long_is_not_read_on() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;

    let (body, read) = endless();
    assert_eq!(browser.put(&[], body).await.status, 413);
    assert_eq!(read.load(Ordering::SeqCst), LONGEST + (1 << 16), "one piece over");

    let (body, read) = endless();
    let stated = (LONGEST + 1).to_string();
    assert_eq!(browser.put(&[("content-length", &stated)], body).await.status, 413);
    assert_eq!(read.load(Ordering::SeqCst), 0, "the head tells");

    let (body, read) = endless();
    let stranger = Request::put("/api/users/me/picture").body(body).unwrap();
    assert_eq!(t.send(stranger).await.status, 401);
    assert_eq!(read.load(Ordering::SeqCst), 0, "nothing is read from strangers");

    let (body, read) = endless();
    let elsewhere = [("sec-fetch-site", "cross-site")];
    assert_eq!(browser.put(&elsewhere, body).await.status, 403);
    assert_eq!(read.load(Ordering::SeqCst), 0, "nor from another site's page");
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let half = png(9).slice(..100);
    let broken = stream::iter([Ok(half), Err(std::io::Error::other("the line is cut"))]);
    let answer = browser.put(&[], Body::from_stream(broken)).await;
    assert_eq!(answer.status, 422);
    let shown = browser.get("/api/images/user/ada?size=64").await.json::<PictureAnswer>();
    assert_eq!(shown.record.revision, Revision(1));
}

#[tokio::test]
async fn a_picture_is_removed_once() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for _ in 0..2 {
        let answer = browser.send(Method::DELETE, "/api/users/me/picture", &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let record = answer.json::<Record>();
        assert_eq!((record.revision, record.image_id), (Revision(2), None));
        assert!(record.thumbhash.is_none());
        let shown = browser.get("/api/images/user/ada?size=64").await.json::<PictureAnswer>();
        assert_eq!((shown.record, shown.hint), (record, None));
    }
}

#[tokio::test]
async fn the_same_bytes_are_one_image_stored_once() {
    let t = Fixture::new().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let before = kept(t.folder.path()).len();

    let first = ada.put(&[], png(99)).await.json::<Record>();
    let again = ada.put(&[], png(99)).await.json::<Record>();
    let others = zoe.put(&[], png(99)).await.json::<Record>();

    assert_eq!(first, again);
    assert_eq!((others.image_id, others.thumbhash), (first.image_id, first.thumbhash));
    assert_eq!(kept(t.folder.path()).len(), before + 1 + Size::ALL.len());
}

#[tokio::test]
async fn no_note_of_a_photograph_is_kept() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for name in ["photographs/notes.jpg", "photographs/notes.png", "photographs/notes.webp"] {
        assert_eq!(browser.put(&[], sample(name)).await.status, 200, "{name}");
    }
    let files = kept(t.folder.path());
    let pictures = PEOPLE.iter().filter(|(.., has_picture)| *has_picture).count() + 3;
    assert_eq!(files.len(), pictures * (1 + Size::ALL.len()));
    for (path, content) in files {
        for note in [&b"SECRET"[..], b"Exif", b"EXIF", b"XMP ", b"ICCP", b"GPS"] {
            assert!(!holds(&content, note), "{path:?}: {}", String::from_utf8_lossy(note));
        }
    }
}

#[tokio::test]
async fn one_user_changes_their_picture_so_often_and_no_more() {
    let twice = NonZeroU32::new(2).unwrap();
    let t = Fixture::with(miniature_server::config::Config {
        picture_changes_per_user: twice,
        ..config()
    })
    .await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    assert_eq!(ada.put(&[], png(1)).await.status, 200);
    assert_eq!(ada.send(Method::DELETE, "/api/users/me/picture", &[]).await.status, 200);

    let (body, read) = endless();
    let third = ada.put(&[], body).await;

    assert_eq!(third.status, 429);
    assert!((1..=31).contains(&third.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(read.load(Ordering::SeqCst), 0, "nothing is read");
    assert_eq!(zoe.put(&[], png(1)).await.status, 200, "others may");
}

/// A body of which nothing arrives; says when it is waited for, and arrives once told.
fn waiting(
    waited_for: mpsc::UnboundedSender<()>,
    told: tokio::sync::watch::Receiver<bool>,
) -> Body {
    let mut told = told;
    let picture = stream::once(async move {
        waited_for.send(()).unwrap();
        told.wait_for(|told| *told).await.unwrap();
        Ok::<_, Infallible>(png(7))
    });
    Body::from_stream(picture)
}

#[tokio::test]
async fn more_uploads_than_there_are_places_are_told_to_come_back() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let Limits { uploads: places, uploads_per_user, .. } = Limits::default();
    let crowd = t.crowd(places / uploads_per_user).await;
    let (waited_for, mut waits) = mpsc::unbounded_channel();
    let (tell, told) = tokio::sync::watch::channel(false);
    let twice = crowd.iter().flat_map(|browser| [browser, browser]);
    let uploads = twice.map(|one| one.put(&[], waiting(waited_for.clone(), told.clone())));
    let uploads = join_all(uploads);

    let one_more = async {
        for _ in 0..places {
            waits.recv().await.unwrap();
        }
        let refused = browser.put(&[], png(8)).await;
        tell.send(true).unwrap();
        refused
    };
    let (answers, refused) = tokio::join!(uploads, one_more);

    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(answers.iter().all(|answer| answer.status == 200), "those who were in are served");
    assert_eq!(browser.put(&[], png(8)).await.status, 200, "there is room again");
}

#[tokio::test]
async fn who_sends_slowly_and_often_takes_no_place_from_others() {
    let t = Fixture::new().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let (waited_for, mut waits) = mpsc::unbounded_channel();
    let (tell, told) = tokio::sync::watch::channel(false);
    let slow = (0..40).map(|_| ada.put(&[], waiting(waited_for.clone(), told.clone())));
    let others = async {
        for _ in 0..2 {
            waits.recv().await.unwrap();
        }
        let others = zoe.put(&[], png(8)).await;
        tell.send(true).unwrap();
        others
    };
    let (slow, others) = tokio::join!(join_all(slow), others);

    assert_eq!(others.status, 200);
    let (taken, refused) = slow.into_iter().partition::<Vec<_>, _>(|answer| answer.status == 200);
    assert_eq!((taken.len(), refused.len()), (2, 38));
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
    }
    assert_eq!(ada.put(&[], png(8)).await.status, 200, "there is room again");
}

#[tokio::test]
async fn an_upload_that_does_not_arrive_is_not_waited_for_for_ever() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let (waited_for, mut waits) = mpsc::unbounded_channel();
    let (_tell, told) = tokio::sync::watch::channel(false);
    let upload = browser.put(&[], waiting(waited_for, told));
    let time_passes = async {
        waits.recv().await.unwrap();
        tokio::time::pause();
        tokio::time::advance(Limits::default().upload_arrives_within + Duration::from_secs(1))
            .await;
        tokio::time::resume();
    };
    let (answer, ()) = tokio::join!(upload, time_passes);
    assert_eq!(answer.status, 408);
}

#[tokio::test]
async fn many_at_once_all_get_their_own() {
    let t = Fixture::new().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let uploads = [(&ada, 0_u8), (&ada, 1), (&zoe, 2), (&zoe, 3)].map(|(browser, n)| async move {
        let pictures = stream::iter(0..6).map(|m| browser.put(&[], png(100 + 4 * m + n)));
        pictures.buffered(1).collect::<Vec<_>>().await
    });
    let answers = join_all(uploads).await.concat();
    let mut revisions = answers.iter().map(|answer| answer.json::<Record>()).collect::<Vec<_>>();
    revisions.sort_by_key(|record| (record.user_id.to_string(), record.revision));
    for (n, record) in (0..12).zip(&revisions) {
        assert_eq!(record.revision, Revision(2 + n), "each change counts once");
    }
    let latest = revisions.iter().rfind(|record| record.user_id.as_str() == "ada").unwrap();
    let shown = ada.get("/api/images/user/ada?size=64").await.json::<PictureAnswer>();
    assert_eq!(&shown.record, latest);
}

#[tokio::test]
async fn who_signs_in_does_not_wait_behind_all_uploads() {
    const UPLOADS: usize = 24;
    let t = Fixture::new().await;
    if t.collection.workers.count() > UPLOADS / 4 {
        return; // with so many cores there is no line to wait in
    }
    let crowd = t.crowd(UPLOADS).await;
    let done = AtomicUsize::new(0);
    let (first_done, mut firsts) = mpsc::unbounded_channel();
    let uploads = join_all((0..24).zip(&crowd).map(|(n, browser)| {
        let (done, first_done) = (&done, first_done.clone());
        async move {
            assert_eq!(browser.put(&[], png(100 + n)).await.status, 200);
            done.fetch_add(1, Ordering::SeqCst);
            first_done.send(()).unwrap();
        }
    }));
    let sign_in = async {
        firsts.recv().await.unwrap();
        assert_eq!(t.sign_in("zoe", "secret").await.status, 200);
        done.load(Ordering::SeqCst)
    };
    let (_, done_before) = tokio::join!(uploads, sign_in);
    assert!(done_before < UPLOADS * 3 / 4, "{done_before} uploads were done first");
}
