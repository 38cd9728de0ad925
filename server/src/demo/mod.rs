//! The demo: people to look at, with portraits that are drawn here, and what they have written.
//!
//! Everything about them is the same on every machine. Creating them twice changes nothing, nor does
//! it undo what someone changed since.

mod crowd;
mod friendships;
mod people;
mod portrait;
mod posts;

use std::{
    io,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use miniature_api::{IdError, Revision, UserId};
use thiserror::Error;

pub use self::crowd::create_crowd;
use self::{
    friendships::pairs,
    people::{ADA, GRACE, Person, WITHOUT_PICTURE, everyone},
};
use crate::{
    Collection,
    images::{PictureError, image_id},
    posts::snapshot,
    profiles::SourceError,
    sign_in::{hash_password, is_right},
    storage::NewPerson,
    workers::WorkPanicked,
};

/// What `ada` and `grace` sign in with. Not a secret: it stands on the sign-in page.
const PASSWORD: &str = "miniature";

/// How many portraits are under way at once; the workers see to the cores.
const AT_ONCE: usize = 8;

/// What a photograph's file name ends with.
const PHOTOGRAPHS: [&str; 5] = ["gif", "jpeg", "jpg", "png", "webp"];

/// Why the demo people are not all there.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The database refused.
    #[error("people cannot be recorded: {0}")]
    Database(#[from] sqlx::Error),
    /// A profile cannot be read.
    #[error(transparent)]
    Profile(#[from] SourceError),
    /// A picture cannot be kept.
    #[error("{0}: {1}")]
    Picture(String, #[source] PictureError),
    /// A photograph or its folder cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// The password cannot be hashed.
    #[error("a password cannot be hashed: {0}")]
    Password(#[from] argon2::password_hash::Error),
    /// A portrait cannot be drawn.
    #[error("a portrait cannot be drawn: {0}")]
    Drawing(#[from] portrait::DrawError),
    /// Drawing panicked.
    #[error(transparent)]
    Panicked(#[from] WorkPanicked),
    /// A name in our own list is no id.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// Creates the demo people if there is nobody yet, or if that was begun and not finished.
///
/// # Errors
///
/// What stands in the way; the next start goes on from there.
pub async fn create_if_empty(collection: &Collection) -> Result<(), DemoError> {
    if collection.database.has_people().await? && !is_half_done(collection).await? {
        return Ok(());
    }
    create(collection).await
}

/// Whether all demo people are there, as they are from the first step on, and not what they have
/// written, which is the last.
async fn is_half_done(collection: &Collection) -> Result<bool, DemoError> {
    let people = everyone().map(|person| person.id.parse()).collect::<Result<Vec<UserId>, _>>()?;
    let there = collection.database.profiles(&people).await?.len();
    let posts = posts::everything().map(|written| written.id()).collect::<Result<Vec<_>, _>>()?;
    Ok(there == people.len() && !collection.database.has_posts(&posts).await?)
}

/// Whether anyone can sign in as one of the demo people: their password is published.
pub async fn is_open(collection: &Collection) -> bool {
    let Ok(user) = ADA.id.parse::<UserId>() else { return false };
    let Ok(hash) = collection.database.password_hash(&user).await else { return false };
    collection.workers.run(|| is_right(PASSWORD, hash)).await.unwrap_or(false)
}

/// Creates those demo people, friendships, portraits and posts that are not there yet.
///
/// # Errors
///
/// What stands in the way; what was created before it stays.
pub async fn create(collection: &Collection) -> Result<(), DemoError> {
    let hash = collection.workers.run(|| hash_password(PASSWORD)).await??;
    let people =
        everyone().map(|person| new_person(person, &hash)).collect::<Result<Vec<_>, _>>()?;
    let pairs = pairs().into_iter().map(|(one, other)| Ok((one.parse()?, other.parse()?)));
    let pairs = pairs.collect::<Result<Vec<_>, IdError>>()?;
    collection.database.add_people(&people, &pairs).await?;
    stream::iter(everyone().filter(|person| !WITHOUT_PICTURE.contains(&person.id)))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |person| give_portrait(collection, person))
        .await?;
    write_posts(collection).await
}

/// With their authors as they are now, when the portraits are there.
async fn write_posts(collection: &Collection) -> Result<(), DemoError> {
    let mut posts = Vec::new();
    for written in posts::everything() {
        let author = collection.profiles.get(&written.author.parse()?).await?;
        if let Some(author) = author {
            posts.push(snapshot(written.id()?, &author, written.text.to_owned(), written.at));
        }
    }
    Ok(collection.database.add_posts(&posts).await?)
}

fn new_person(person: Person, hash: &str) -> Result<NewPerson, IdError> {
    let signs_in = [ADA.id, GRACE.id].contains(&person.id);
    Ok(NewPerson {
        user_id: person.id.parse()?,
        name: person.name.to_owned(),
        headline: person.headline.to_owned(),
        password_hash: signs_in.then(|| hash.to_owned()),
    })
}

/// Not to those who had a picture before: they may have changed it, or removed it.
async fn give_portrait(collection: &Collection, person: Person) -> Result<(), DemoError> {
    let user = person.id.parse::<UserId>()?;
    let profile = collection.profiles.get(&user).await?;
    if profile.is_none_or(|profile| profile.picture.revision > Revision(0)) {
        return Ok(());
    }
    let draw = move || portrait::draw(person.id, person.hair, person.complexion);
    let png = collection.workers.run(draw).await??;
    let given = collection.pictures.set_picture(&user, png.into()).await;
    given.map(drop).map_err(|error| DemoError::Picture(person.id.to_owned(), error))
}

/// Gives the photographs in a folder, in the order of their file names, to `ada`'s friends, in the
/// order of her list. Who has theirs already keeps it.
///
/// # Errors
///
/// The first file that cannot be read or is no picture, by name.
pub async fn give_photographs(collection: &Collection, folder: &Path) -> Result<(), DemoError> {
    let photographs =
        photographs(folder).map_err(|error| DemoError::Unreadable(folder.to_owned(), error))?;
    let friends = collection.database.friends(&ADA.id.parse()?, None, photographs.len()).await?;
    stream::iter(friends.friends.into_iter().zip(photographs))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, async |(friend, path)| {
            let read = tokio::fs::read(&path).await;
            let photograph = read.map_err(|error| DemoError::Unreadable(path.clone(), error))?;
            if friend.picture.image_id == Some(image_id(&photograph)) {
                return Ok(());
            }
            let given = collection.pictures.set_picture(&friend.user_id, photograph.into()).await;
            given.map(drop).map_err(|error| DemoError::Picture(path.display().to_string(), error))
        })
        .await
}

/// The photographs in a folder, by file name.
fn photographs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if PHOTOGRAPHS.contains(&ending.to_lowercase().as_str()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
