//! Users and their pictures.

use std::{collections::HashMap, ops::Deref};

use super::{
    Claim, Database,
    outbox::{self, Message},
    placeholders, seconds,
    unused::hold,
};
use miniature_api::{IdError, ImageId, Profile, Record, Revision, UserId};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

/// Someone to be created.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Who.
    pub user_id: UserId,
    /// The display name.
    pub name: String,
    /// What they say of themselves, in a line.
    pub headline: String,
    /// An argon2 hash in PHC form; none if they cannot sign in.
    pub password_hash: Option<String>,
}

/// A profile, and which of several copies it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// Counts up at every change, that of the picture included: the higher, the newer.
    pub version: u64,
    /// The profile.
    pub profile: Profile,
}

impl Deref for Versioned {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

/// A picture that is kept, for someone to show.
#[derive(Clone, Debug)]
pub struct NewPicture {
    /// Which.
    pub image_id: ImageId,
    /// Its ThumbHash, in base64.
    pub thumbhash: String,
    /// That it was kept.
    pub claim: Claim,
}

/// What became of a request to change a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureChange {
    /// The user has the picture now, under a new revision.
    Changed(Versioned),
    /// The user had it already, or had none and is to have none; the revision stands.
    AlreadySo(Versioned),
    /// There is no such user.
    NoSuchUser,
}

/// What became of a request to change what is said of someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Their profile since.
    pub profile: Versioned,
    /// Whether it was another before.
    pub is_news: bool,
}

/// A row of [`PROFILES`].
#[derive(sqlx::FromRow)]
struct ProfileRow {
    id: String,
    name: String,
    headline: String,
    friend_count: i64,
    version: i64,
    revision: i64,
    image_id: Option<String>,
    thumbhash: Option<String>,
}

/// Everyone's profile; a condition on `u` is to follow.
const PROFILES: &str = "SELECT u.id, u.name, u.headline, u.version, u.revision, u.image_id, \
     u.thumbhash, (SELECT COUNT(*) FROM friendships f WHERE f.user_id = u.id) AS friend_count FROM users u";

/// What a change of a user is to return: their profile, in the same step.
const CHANGED: &str = "RETURNING id, name, headline, version, revision, image_id, thumbhash, \
     (SELECT COUNT(*) FROM friendships f WHERE f.user_id = users.id) AS friend_count";

impl Database {
    /// The profiles of those users that exist, in one query.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn profiles(&self, users: &[UserId]) -> sqlx::Result<HashMap<UserId, Versioned>> {
        let sql = format!("{PROFILES} WHERE u.id IN ({})", placeholders(users.len()));
        let mut query = sqlx::query_as::<_, ProfileRow>(&sql);
        for user in users {
            query = query.bind(user.as_str());
        }
        let rows = self.ask(async |c| query.fetch_all(c).await).await?;
        rows.into_iter().map(|row| row.profile().map(|p| (p.user_id.clone(), p))).collect()
    }

    /// A user's password hash: none if there is no such user, or they cannot sign in.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn password_hash(&self, user: &UserId) -> sqlx::Result<Option<String>> {
        let query = sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1");
        Ok(self.ask(async |c| query.bind(user.as_str()).fetch_optional(c).await).await?.flatten())
    }

    /// Whether there is anyone at all.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn has_people(&self) -> sqlx::Result<bool> {
        let query = sqlx::query("SELECT id FROM users LIMIT 1");
        Ok(self.ask(async |c| query.fetch_optional(c).await).await?.is_some())
    }

    /// Creates these people and makes friends of these pairs, all or none. Who and what is there
    /// already stays as it is.
    ///
    /// # Errors
    ///
    /// If the database does not answer, or a pair names someone who does not exist.
    pub async fn add_people(
        &self,
        people: &[NewPerson],
        pairs: &[(UserId, UserId)],
    ) -> sqlx::Result<()> {
        self.ask_at_length(async |c| {
            for person in people {
                sqlx::query(
                    "INSERT INTO users (id, name, headline, password_hash) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT DO NOTHING",
                )
                .bind(person.user_id.as_str())
                .bind(&person.name)
                .bind(&person.headline)
                .bind(&person.password_hash)
                .execute(&mut *c)
                .await?;
            }
            for (one, other) in pairs {
                sqlx::query(
                    "INSERT INTO friendships (user_id, friend_id) VALUES ($1, $2), ($2, $1) \
                 ON CONFLICT DO NOTHING",
                )
                .bind(one.as_str())
                .bind(other.as_str())
                .execute(&mut *c)
                .await?;
            }
            Ok(())
        })
        .await
    }

    /// Gives people who have no picture yet that of another person; nobody is told. Of each pair the
    /// first has it.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn lend_pictures(&self, pairs: &[(UserId, UserId)]) -> sqlx::Result<()> {
        self.ask_at_length(async |c| {
            for (of, to) in pairs {
                sqlx::query(
                    "UPDATE users SET version = version + 1, revision = revision + 1, \
                 image_id = (SELECT image_id FROM users WHERE id = $1), \
                 thumbhash = (SELECT thumbhash FROM users WHERE id = $1) \
                 WHERE id = $2 AND revision = 0",
                )
                .bind(of.as_str())
                .bind(to.as_str())
                .execute(&mut *c)
                .await?;
            }
            Ok(())
        })
        .await
    }

    /// Gives a user another picture, or none, counts their revision up and adds that to the outbox, in
    /// one step, at a time in seconds since 1970. Returns none, and changes nothing, if that picture has
    /// been removed since it was claimed.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn set_picture(
        &self,
        user: &UserId,
        picture: Option<&NewPicture>,
        now: u64,
    ) -> sqlx::Result<Option<PictureChange>> {
        self.may_be_unused(user, now).await?;
        let sql = format!(
            "UPDATE users SET version = version + 1, revision = revision + 1, image_id = $2, \
             thumbhash = $3 WHERE id = $1 AND image_id IS DISTINCT FROM $2 {CHANGED}"
        );
        let query = sqlx::query_as::<_, ProfileRow>(&sql)
            .bind(user.as_str())
            .bind(picture.map(|picture| picture.image_id.to_string()))
            .bind(picture.map(|picture| picture.thumbhash.as_str()));
        let work = async |c: &mut AnyConnection| {
            if let Some(picture) = picture
                && !hold(c, picture, now).await?
            {
                return Ok(None);
            }
            let Some(row) = query.fetch_optional(&mut *c).await? else { return Ok(Some(None)) };
            let changed = row.profile()?;
            outbox::add(c, &Message::picture(&changed)).await?;
            Ok(Some(Some(changed)))
        };
        let Some(changed) = self.transact(work).await? else { return Ok(None) };
        let change = match changed {
            Some(changed) => PictureChange::Changed(changed),
            None => self.unchanged(user).await?,
        };
        Ok(Some(change))
    }

    async fn unchanged(&self, user: &UserId) -> sqlx::Result<PictureChange> {
        let profile = self.profiles(std::slice::from_ref(user)).await?.remove(user);
        Ok(profile.map_or(PictureChange::NoSuchUser, PictureChange::AlreadySo))
    }
}

impl Database {
    /// Changes what is said of a user; what is none stays. If that is news, counts their version up and
    /// adds it to the outbox, in one step. Returns none if there is no such user.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn describe(
        &self,
        user: &UserId,
        name: Option<&str>,
        headline: Option<&str>,
    ) -> sqlx::Result<Option<Described>> {
        let work = async |c: &mut AnyConnection| {
            let changed = write_description(c, user, name, headline).await?;
            if let Some(changed) = &changed {
                outbox::add(c, &Message::profile(changed)).await?;
            }
            Ok(changed)
        };
        if let Some(profile) = self.transact(work).await? {
            return Ok(Some(Described { profile, is_news: true }));
        }
        let profile = self.profiles(std::slice::from_ref(user)).await?.remove(user);
        Ok(profile.map(|profile| Described { profile, is_news: false }))
    }

    /// Notes what another service says of a user, and counts their version up if that is news.
    /// Announces nothing: it was noticed at a reading, perhaps long after. Returns their profile, or none
    /// if there is no such user.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn copy_description(
        &self,
        user: &UserId,
        name: &str,
        headline: &str,
    ) -> sqlx::Result<Option<Versioned>> {
        let copy = async |c: &mut AnyConnection| {
            write_description(c, user, Some(name), Some(headline)).await
        };
        if let Some(profile) = self.ask(copy).await? {
            return Ok(Some(profile));
        }
        Ok(self.profiles(std::slice::from_ref(user)).await?.remove(user))
    }

    /// Notes that a user is active at a time, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn note_active(&self, user: &UserId, now: u64) -> sqlx::Result<()> {
        let query = sqlx::query("UPDATE users SET active_at = $2 WHERE id = $1");
        self.ask(async |c| query.bind(user.as_str()).bind(seconds(now)).execute(c).await)
            .await
            .map(drop)
    }

    /// Users active since a time, in seconds since 1970; the latest first.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn active_since(&self, since: u64, limit: usize) -> sqlx::Result<Vec<UserId>> {
        let query = sqlx::query_scalar::<_, String>(
            "SELECT id FROM users WHERE active_at >= $1 ORDER BY active_at DESC LIMIT $2",
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ids =
            self.ask(async |c| query.bind(seconds(since)).bind(limit).fetch_all(c).await).await?;
        ids.into_iter().map(|id| id.parse().map_err(|error: IdError| decode(error))).collect()
    }
}

/// Changes what is said of a user, and counts their version up; none if there is no such user, or
/// it was so already.
async fn write_description(
    connection: &mut AnyConnection,
    user: &UserId,
    name: Option<&str>,
    headline: Option<&str>,
) -> sqlx::Result<Option<Versioned>> {
    let sql = format!(
        "UPDATE users SET name = COALESCE($2, name), headline = COALESCE($3, headline), \
         version = version + 1 WHERE id = $1 AND \
         (name <> COALESCE($2, name) OR headline <> COALESCE($3, headline)) {CHANGED}"
    );
    let query = sqlx::query_as::<_, ProfileRow>(&sql);
    let query = query.bind(user.as_str()).bind(name).bind(headline);
    query.fetch_optional(connection).await?.map(ProfileRow::profile).transpose()
}

impl ProfileRow {
    fn profile(self) -> sqlx::Result<Versioned> {
        let picture = record(&self.id, self.revision, self.image_id, self.thumbhash)?;
        let profile = Profile {
            user_id: picture.user_id.clone(),
            name: self.name,
            headline: self.headline,
            friend_count: u32::try_from(self.friend_count).map_err(decode)?,
            picture,
        };
        Ok(Versioned { version: u64::try_from(self.version).map_err(decode)?, profile })
    }
}

/// A record out of the columns that hold it.
pub(super) fn record(
    user_id: &str,
    revision: i64,
    image_id: Option<String>,
    thumbhash: Option<String>,
) -> sqlx::Result<Record> {
    Ok(Record {
        user_id: user_id.parse().map_err(|error: IdError| decode(error))?,
        revision: self::revision(revision)?,
        image_id: image_id.map(ImageId::try_from).transpose().map_err(decode)?,
        thumbhash: thumbhash.map(Into::into),
    })
}

fn revision(column: i64) -> sqlx::Result<Revision> {
    u32::try_from(column).map(Revision).map_err(decode)
}

/// The database holds what we never write.
pub(super) fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
