//! Which history of the database revisions belong to.

use miniature_api::{Lineage, LineageError};
use sqlx::{AnyConnection, AnyPool};

use super::{Database, people::decode};
use crate::clock::Clock;

impl Database {
    /// The lineage that the database had when it was opened.
    pub fn lineage(&self) -> Lineage {
        self.lineage
    }

    /// Begins a new lineage, later than the one before whatever the clock says. Returns both, the
    /// one before first. Servers that run go on with the one they opened the database with.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn renew_lineage(&self, clock: &Clock) -> sqlx::Result<(Lineage, Lineage)> {
        self.transact(async |c| {
            let before = read(c).await?.ok_or(sqlx::Error::RowNotFound)?;
            let created_at_ms = clock.now_ms().max(before.created_at_ms() + 1);
            let renewed = random(created_at_ms)?;
            let update = sqlx::query("UPDATE lineage SET name = $1").bind(renewed.to_string());
            update.execute(c).await?;
            Ok((before, renewed))
        })
        .await
    }
}

/// The database's lineage, created now if it has none. Of instances that start together one creates
/// it.
pub(super) async fn read_or_create(pool: &AnyPool, clock: &Clock) -> sqlx::Result<Lineage> {
    let mut connection = pool.acquire().await?;
    if let Some(lineage) = read(&mut connection).await? {
        return Ok(lineage);
    }
    sqlx::query("INSERT INTO lineage (id, name) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
        .bind(random(clock.now_ms())?.to_string())
        .execute(&mut *connection)
        .await?;
    read(&mut connection).await?.ok_or(sqlx::Error::RowNotFound)
}

async fn read(connection: &mut AnyConnection) -> sqlx::Result<Option<Lineage>> {
    let query = sqlx::query_scalar::<_, String>("SELECT name FROM lineage");
    let name = query.fetch_optional(connection).await?;
    name.map(|name| name.parse().map_err(|error: LineageError| decode(error))).transpose()
}

fn random(created_at_ms: u64) -> sqlx::Result<Lineage> {
    let random = getrandom::u64().map_err(|error| sqlx::Error::Encode(error.into()))?;
    Lineage::new(created_at_ms, random).map_err(|error| sqlx::Error::Encode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_keeps_its_lineage() {
        let folder = tempfile::tempdir().unwrap();
        let created = Database::open(folder.path()).await.unwrap().lineage();
        let again = Database::open(folder.path()).await.unwrap().lineage();
        assert_eq!(created, again);
        assert_ne!(Database::in_memory().await.unwrap().lineage(), created);
    }

    #[tokio::test]
    async fn a_renewed_lineage_is_later_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let created = Database::open(folder.path()).await.unwrap().lineage();
        let created_at_s = created.created_at_ms() / 1_000;
        let cases = [
            ("set back", created_at_s - 86_400, created.created_at_ms() + 1),
            ("a day later", created_at_s + 86_400, (created_at_s + 86_400) * 1_000),
        ];
        let mut newest = created;
        for (name, now, expected) in cases {
            let database = Database::open(folder.path()).await.unwrap();
            let (clock, _) = Clock::by_hand(now);
            let (before, renewed) = database.renew_lineage(&clock).await.unwrap();
            assert_eq!((before, renewed.created_at_ms()), (newest, expected), "{name}");
            assert!(renewed > before, "{name}");
            assert_eq!(database.lineage(), before, "{name}: until it is opened again");
            assert_eq!(Database::open(folder.path()).await.unwrap().lineage(), renewed, "{name}");
            newest = renewed;
        }
    }
}
