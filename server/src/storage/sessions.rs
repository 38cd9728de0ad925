//! Who is signed in, by the hash of their token.

use miniature_api::UserId;

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
        now: u64,
        expires_at: u64,
    ) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(seconds(now))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, $3)")
            .bind(token_hash)
            .bind(user.as_str())
            .bind(seconds(expires_at))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// Whose session this is at a time, in seconds since 1970; none if it has ended.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn session(&self, token_hash: &str, now: u64) -> sqlx::Result<Option<UserId>> {
        let query = sqlx::query_scalar::<_, String>(
            "SELECT user_id FROM sessions WHERE token_hash = $1 AND expires_at > $2",
        );
        let user = query.bind(token_hash).bind(seconds(now)).fetch_optional(&self.pool).await?;
        user.map(UserId::try_from).transpose().map_err(decode)
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end_session(&self, token_hash: &str) -> sqlx::Result<()> {
        let query = sqlx::query("DELETE FROM sessions WHERE token_hash = $1");
        query.bind(token_hash).execute(&self.pool).await.map(drop)
    }
}
