//! Users and their pictures.

use std::collections::HashMap;

use miniature_api::{IdError, ImageId, Profile, Record, Revision, UserId};
use sqlx::{QueryBuilder, Sqlite};

use super::Database;

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

/// What became of a request to change a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureChange {
    /// The user has the picture now, under a new revision.
    Changed(Record),
    /// The user had it already; the revision stands.
    AlreadySo,
    /// There is no such user.
    NoSuchUser,
}

/// A row of [`PROFILES`].
#[derive(sqlx::FromRow)]
struct ProfileRow {
    id: String,
    name: String,
    headline: String,
    friend_count: i64,
    revision: i64,
    image_id: Option<String>,
    thumbhash: Option<String>,
}

/// Everyone's profile; a condition on `u` is to follow.
const PROFILES: &str = "SELECT u.id, u.name, u.headline, u.revision, u.image_id, u.thumbhash, \
     (SELECT COUNT(*) FROM friendships f WHERE f.user_id = u.id) AS friend_count FROM users u ";

impl Database {
    /// The profiles of those users that exist, in one query.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn profiles(&self, users: &[UserId]) -> sqlx::Result<HashMap<UserId, Profile>> {
        metrics::counter!(crate::metrics::SOURCE_CALLS).increment(1);
        let mut query = QueryBuilder::<Sqlite>::new(PROFILES);
        query.push("WHERE u.id IN (");
        let mut ids = query.separated(", ");
        for user in users {
            ids.push_bind(user.as_str());
        }
        query.push(")");
        let rows = query.build_query_as::<ProfileRow>().fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| row.profile().map(|p| (p.user_id.clone(), p))).collect()
    }

    /// A user's password hash: none if there is no such user, or they cannot sign in.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn password_hash(&self, user: &UserId) -> sqlx::Result<Option<String>> {
        let query = sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1");
        Ok(query.bind(user.as_str()).fetch_optional(&self.pool).await?.flatten())
    }

    /// Whether there is anyone at all.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn has_people(&self) -> sqlx::Result<bool> {
        let query = sqlx::query("SELECT id FROM users LIMIT 1");
        Ok(query.fetch_optional(&self.pool).await?.is_some())
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
        let mut transaction = self.pool.begin().await?;
        for person in people {
            sqlx::query(
                "INSERT INTO users (id, name, headline, password_hash) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(person.user_id.as_str())
            .bind(&person.name)
            .bind(&person.headline)
            .bind(&person.password_hash)
            .execute(&mut *transaction)
            .await?;
        }
        for (one, other) in pairs {
            sqlx::query(
                "INSERT INTO friendships (user_id, friend_id) VALUES ($1, $2), ($2, $1) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(one.as_str())
            .bind(other.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Gives a user another picture, or none, and counts their revision up, in one step.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn set_picture(
        &self,
        user: &UserId,
        picture: Option<(ImageId, &str)>,
    ) -> sqlx::Result<PictureChange> {
        let (image_id, thumbhash) = picture.unzip();
        let revision = sqlx::query_scalar::<_, i64>(
            "UPDATE users SET revision = revision + 1, image_id = $2, thumbhash = $3 \
             WHERE id = $1 AND image_id IS DISTINCT FROM $2 RETURNING revision",
        )
        .bind(user.as_str())
        .bind(image_id.map(|id| id.to_string()))
        .bind(thumbhash)
        .fetch_optional(&self.pool)
        .await?;
        match revision {
            Some(revision) => Ok(PictureChange::Changed(Record {
                user_id: user.clone(),
                revision: self::revision(revision)?,
                image_id,
                thumbhash: thumbhash.map(Into::into),
            })),
            None if self.profiles(std::slice::from_ref(user)).await?.is_empty() => {
                Ok(PictureChange::NoSuchUser)
            }
            None => Ok(PictureChange::AlreadySo),
        }
    }
}

impl ProfileRow {
    fn profile(self) -> sqlx::Result<Profile> {
        let picture = record(&self.id, self.revision, self.image_id, self.thumbhash)?;
        Ok(Profile {
            user_id: picture.user_id.clone(),
            name: self.name,
            headline: self.headline,
            friend_count: u32::try_from(self.friend_count).map_err(decode)?,
            picture,
        })
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
