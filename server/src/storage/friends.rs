//! Lists of friends, page by page.

use std::{collections::HashSet, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use miniature_api::{Friend, FriendsPage, IdError, UserId};
use thiserror::Error;

use super::{
    Database,
    people::{decode, record},
};

/// Where a page of friends begins: after this one. Opaque on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    name: String,
    id: String,
}

/// A text that no page has given out as its `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("take it from the `next` of the page before")]
pub struct CursorError;

impl Cursor {
    fn after(friend: &Friend) -> Self {
        Self { name: friend.name.clone(), id: friend.user_id.to_string() }
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.id, self.name))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let text = String::from_utf8(bytes).map_err(|_| CursorError)?;
        let (id, name) = text.split_once('\n').ok_or(CursorError)?;
        // PostgreSQL takes no NUL in a text, and no name has one.
        if text.contains('\0') {
            return Err(CursorError);
        }
        Ok(Self { name: name.to_owned(), id: id.to_owned() })
    }
}

#[derive(sqlx::FromRow)]
struct FriendRow {
    id: String,
    name: String,
    headline: String,
    revision: i64,
    image_id: Option<String>,
    thumbhash: Option<String>,
}

impl FriendRow {
    fn friend(self) -> sqlx::Result<Friend> {
        let picture = record(&self.id, self.revision, self.image_id, self.thumbhash)?;
        let (name, headline) = (self.name, self.headline);
        Ok(Friend { user_id: picture.user_id.clone(), name, headline, picture })
    }
}

impl Database {
    /// Who is a friend of a user.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn friend_ids(&self, of: &UserId) -> sqlx::Result<HashSet<UserId>> {
        metrics::counter!(crate::metrics::SOURCE_CALLS).increment(1);
        let query =
            sqlx::query_scalar::<_, String>("SELECT friend_id FROM friendships WHERE user_id = $1");
        let ids = self.ask(async |c| query.bind(of.as_str()).fetch_all(c).await).await?;
        ids.into_iter().map(|id| id.parse().map_err(|error: IdError| decode(error))).collect()
    }

    /// A page of a user's friends, in the order of their names, then of their ids. The page after
    /// begins where this one ended, whoever came or went between.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn friends(
        &self,
        of: &UserId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> sqlx::Result<FriendsPage> {
        metrics::counter!(crate::metrics::SOURCE_CALLS).increment(1);
        // One more than asked for tells whether there is a page after.
        let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let query = sqlx::query_as::<_, FriendRow>(
            "SELECT u.id, u.name, u.headline, u.revision, u.image_id, u.thumbhash \
             FROM friendships f JOIN users u ON u.id = f.friend_id \
             WHERE f.user_id = $1 AND (u.name > $2 OR (u.name = $2 AND u.id > $3)) \
             ORDER BY u.name, u.id LIMIT $4",
        )
        .bind(of.as_str())
        .bind(after.map_or("", |cursor| &cursor.name)) // every name and id is after the empty one
        .bind(after.map_or("", |cursor| &cursor.id))
        .bind(one_more);
        let rows = self.ask(async |c| query.fetch_all(c).await).await?;
        page(rows, limit)
    }
}

fn page(mut rows: Vec<FriendRow>, limit: usize) -> sqlx::Result<FriendsPage> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let friends = rows.into_iter().map(FriendRow::friend).collect::<sqlx::Result<Vec<_>>>()?;
    let next = friends.last().filter(|_| more).map(|last| Cursor::after(last).encode());
    Ok(FriendsPage { friends, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_is_written() {
        let cursor = Cursor { name: "Zoë\nBright".to_owned(), id: "zoe".to_owned() };
        assert_eq!(cursor.encode().parse(), Ok(cursor));
    }

    #[test]
    fn what_no_page_gave_out_is_refused() {
        for text in ["", "!", "YWRh", "_w"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
