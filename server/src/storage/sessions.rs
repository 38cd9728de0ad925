//! Who is signed in, by the hash of their token.

use miniature_api::{Marker, UserId};

use super::{Database, people::decode, seconds};

impl Database {
    /// Keeps a session until a time, in seconds since 1970, and forgets those that have ended.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn add_session(
        &self,
        token_hash: &str,
        user: &UserId,
        marker: &Marker,
        now: u64,
        expires_at: u64,
    ) -> sqlx::Result<()> {
        self.transact(async |c| {
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
                .bind(seconds(now))
                .execute(&mut *c)
                .await?;
            sqlx::query(
                "INSERT INTO sessions (token_hash, user_id, marker, expires_at) VALUES ($1, $2, $3, $4)",
            )
            .bind(token_hash)
            .bind(user.as_str())
            .bind(marker.as_str())
            .bind(seconds(expires_at))
            .execute(&mut *c)
            .await?;
            Ok(())
        })
        .await
    }

    /// Whose session this is and until when, in seconds since 1970; none if there is no such.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn session(&self, token_hash: &str) -> sqlx::Result<Option<(UserId, u64)>> {
        let query = sqlx::query_as::<_, (String, i64)>(
            "SELECT user_id, expires_at FROM sessions WHERE token_hash = $1",
        );
        let found = self.ask(async |c| query.bind(token_hash).fetch_optional(c).await).await?;
        let Some((user, expires_at)) = found else { return Ok(None) };
        let user = UserId::try_from(user).map_err(decode)?;
        Ok(Some((user, u64::try_from(expires_at).map_err(decode)?)))
    }

    /// Ends a session, if it has this marker. Returns whether there was such a one.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end_session(
        &self,
        token_hash: &str,
        marker: Option<&Marker>,
    ) -> sqlx::Result<bool> {
        let query = match marker {
            None => sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash),
            Some(marker) => {
                sqlx::query("DELETE FROM sessions WHERE token_hash = $1 AND marker = $2")
                    .bind(token_hash)
                    .bind(marker.as_str())
            }
        };
        let done = self.ask(async |c| query.execute(c).await).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every session of a user. Returns the hashes of their tokens.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end_sessions(&self, user: &UserId) -> sqlx::Result<Vec<String>> {
        let query =
            sqlx::query_scalar("DELETE FROM sessions WHERE user_id = $1 RETURNING token_hash");
        self.ask(async |c| query.bind(user.as_str()).fetch_all(c).await).await
    }
}
