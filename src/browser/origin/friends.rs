//! The friend list, with the pictures that it is shown with.

use std::rc::Rc;

use miniature_api::{BATCH_LIMIT, FRIENDS_PART, FriendsPage, ImageId, Size};

use super::{
    api::{Api, read_parts},
    boot::BootFriends,
    exchange::{Call, Exchange, read_json},
};
use crate::cache::layer::OriginError;

/// What page of the list, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FriendsQuery {
    /// The page after the one that named this cursor; the first page without.
    pub cursor: Option<String>,
    /// Send the pictures along, at this size.
    pub pictures: Option<Size>,
    /// Send nothing if the page is still the one with this ETag.
    pub etag: Option<String>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendsAnswer {
    /// The page.
    pub page: FriendsPage,
    /// The pictures asked for, unchecked.
    pub pictures: Vec<(ImageId, Rc<[u8]>)>,
    /// Names this state of the page.
    pub etag: Option<String>,
}

impl Api {
    /// A page of the friend list; none if it has not changed.
    ///
    /// # Errors
    ///
    /// [`OriginError`], by what can help.
    pub async fn friends(
        &self,
        query: &FriendsQuery,
    ) -> Result<Option<FriendsAnswer>, OriginError> {
        let mut call = Call::get(self.url(&query.path()));
        if let Some(etag) = &query.etag {
            call = call.header("if-none-match", etag);
        }
        read(call.send().await?).await
    }

    /// The answer to the request that `boot.js` sent.
    ///
    /// # Errors
    ///
    /// [`OriginError`], by what can help.
    pub async fn boot_friends(
        &self,
        begun: BootFriends,
    ) -> Result<Option<FriendsAnswer>, OriginError> {
        read(Exchange::begun_elsewhere(begun.response).await?).await
    }
}

impl FriendsQuery {
    fn path(&self) -> String {
        let mut path = format!("/api/friends?limit={BATCH_LIMIT}");
        if let Some(cursor) = &self.cursor {
            path.push_str("&cursor=");
            path.push_str(&String::from(js_sys::encode_uri_component(cursor)));
        }
        if let Some(size) = self.pictures {
            path.push_str(&format!("&pictures={size}"));
        }
        path
    }
}

async fn read(answer: Exchange) -> Result<Option<FriendsAnswer>, OriginError> {
    if answer.status() == 304 {
        return Ok(None);
    }
    let answer = answer.accepted()?;
    let (page, pictures) = read_parts(&answer, FRIENDS_PART).await?;
    let page = read_json(page)?;
    Ok(Some(FriendsAnswer { page, pictures, etag: answer.header("etag") }))
}
