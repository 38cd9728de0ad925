//! Posts, each with its author as of some time.

use miniature_api::{Author, Post, PostId, UserId};

use sqlx::AnyConnection;

use super::{
    Database, Versioned,
    outbox::{self, Message},
    people::{decode, record},
    placeholders, seconds,
};

/// Later than every id there is.
const AFTER_ALL: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// A post, and how old its author's snapshot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPost {
    /// The post.
    pub post: Post,
    /// When its author was last known to be so, in seconds since 1970.
    pub author_as_of: u64,
    /// The version of the profile that the snapshot was taken from.
    pub author_version: u64,
}

/// What became of a request to keep a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is kept.
    Now,
    /// This post was there already under its id.
    Before(StoredPost),
}

#[derive(sqlx::FromRow)]
struct PostRow {
    id: String,
    author_id: String,
    body: String,
    created_at: i64,
    author_name: String,
    author_revision: i64,
    author_image_id: Option<String>,
    author_thumbhash: Option<String>,
    author_version: i64,
    author_as_of: i64,
}

/// All posts; a condition is to follow.
const POSTS: &str = "SELECT id, author_id, body, created_at, author_name, author_revision, \
     author_image_id, author_thumbhash, author_version, author_as_of FROM posts";

impl PostRow {
    fn post(self) -> sqlx::Result<StoredPost> {
        let (image, thumbhash) = (self.author_image_id, self.author_thumbhash);
        let picture = record(&self.author_id, self.author_revision, image, thumbhash)?;
        let author = Author { user_id: picture.user_id.clone(), name: self.author_name, picture };
        let post = Post {
            id: PostId::try_from(self.id).map_err(decode)?,
            author,
            text: self.body,
            created_at: u64::try_from(self.created_at).map_err(decode)?,
        };
        Ok(StoredPost {
            post,
            author_as_of: u64::try_from(self.author_as_of).map_err(decode)?,
            author_version: u64::try_from(self.author_version).map_err(decode)?,
        })
    }
}

impl Database {
    /// Keeps posts, all or none. Those that are there already stay as they are.
    ///
    /// # Errors
    ///
    /// If the database does not answer, or an author does not exist.
    pub async fn add_posts(&self, posts: &[StoredPost]) -> sqlx::Result<()> {
        self.transact(async |c| {
            for post in posts {
                insert(c, post).await?;
            }
            Ok(())
        })
        .await
    }

    /// Keeps a post and adds it to the outbox, in one step, unless there is one of its id.
    ///
    /// # Errors
    ///
    /// If the database does not answer, or the author does not exist.
    pub async fn write_post(&self, stored: &StoredPost) -> sqlx::Result<Written> {
        self.transact(async |c| {
            if insert(c, stored).await? {
                outbox::add(c, &Message::post(&stored.post)).await?;
                return Ok(Written::Now);
            }
            let sql = format!("{POSTS} WHERE id = $1");
            let query = sqlx::query_as::<_, PostRow>(&sql).bind(stored.post.id.as_str());
            query.fetch_one(c).await?.post().map(Written::Before)
        })
        .await
    }

    /// Whether all of these posts are there.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn has_posts(&self, posts: &[PostId]) -> sqlx::Result<bool> {
        let sql = format!("SELECT COUNT(*) FROM posts WHERE id IN ({})", placeholders(posts.len()));
        let mut query = sqlx::query_scalar::<_, i64>(&sql);
        for post in posts {
            query = query.bind(post.as_str());
        }
        let there = self.ask(async |c| query.fetch_one(c).await).await?;
        Ok(usize::try_from(there).map_err(decode)? == posts.len())
    }

    /// What a user and their friends wrote, the newest first, and the id that the page after begins
    /// before.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn feed(
        &self,
        of: &UserId,
        before: Option<&PostId>,
        limit: usize,
    ) -> sqlx::Result<(Vec<StoredPost>, Option<PostId>)> {
        // One more than asked for tells whether there is a page after.
        let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let sql = format!(
            "{POSTS} WHERE (author_id = $1 OR author_id IN \
             (SELECT friend_id FROM friendships WHERE user_id = $1)) \
             AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        let query = sqlx::query_as::<_, PostRow>(&sql)
            .bind(of.as_str())
            .bind(before.map_or(AFTER_ALL, PostId::as_str))
            .bind(one_more);
        let rows = self.ask(async |c| query.fetch_all(c).await).await?;
        let more = rows.len() > limit;
        let posts = rows.into_iter().take(limit).map(PostRow::post);
        let posts = posts.collect::<sqlx::Result<Vec<_>>>()?;
        let next = posts.last().filter(|_| more).map(|last| last.post.id.clone());
        Ok((posts, next))
    }

    /// Puts a newer snapshot of an author into their posts; in seconds since 1970 when it is known to
    /// be so, or none to leave that to the next reading. A snapshot that is newer still stays, and
    /// what is so already is not written again. Returns how many posts were rewritten.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn rewrite_author(
        &self,
        author: &Versioned,
        as_of: Option<u64>,
    ) -> sqlx::Result<u64> {
        let picture = &author.picture;
        let query = sqlx::query(
            "UPDATE posts SET author_name = $2, author_revision = $3, author_image_id = $4, \
             author_thumbhash = $5, author_version = $6, author_as_of = COALESCE($7, author_as_of) \
             WHERE author_id = $1 \
             AND (author_version < $6 OR (author_version = $6 AND author_as_of < $7))",
        )
        .bind(author.user_id.as_str())
        .bind(&author.name)
        .bind(i64::from(picture.revision.0))
        .bind(picture.image_id.map(|id| id.to_string()))
        .bind(picture.thumbhash.as_deref())
        .bind(seconds(author.version))
        .bind(as_of.map(seconds));
        let done = self.ask_at_length(async |c| query.execute(c).await).await?;
        Ok(done.rows_affected())
    }
}

/// Keeps a post, unless there is one of its id. Returns whether it did.
async fn insert(connection: &mut AnyConnection, stored: &StoredPost) -> sqlx::Result<bool> {
    let StoredPost { post, author_as_of, author_version } = stored;
    let picture = &post.author.picture;
    let done = sqlx::query(
        "INSERT INTO posts (id, author_id, body, created_at, author_name, author_revision, \
         author_image_id, author_thumbhash, author_version, author_as_of) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(post.id.as_str())
    .bind(post.author.user_id.as_str())
    .bind(&post.text)
    .bind(seconds(post.created_at))
    .bind(&post.author.name)
    .bind(i64::from(picture.revision.0))
    .bind(picture.image_id.map(|id| id.to_string()))
    .bind(picture.thumbhash.as_deref())
    .bind(seconds(*author_version))
    .bind(seconds(*author_as_of))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
