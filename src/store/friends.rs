//! The friend list: shown from LocalStorage or IndexedDB at once, and renewed in the background.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::prelude::*;
use miniature_api::{Friend, FriendsPage, Size, UserId};
use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize};

use super::{
    connection::{Connection, use_connection},
    picture_store::PictureCache,
    screen::rendition_size,
};
use crate::{
    browser::{
        clock::BrowserClock,
        cookies,
        indexed_db::IndexedDbShelf,
        json,
        local_storage::LocalPages,
        origin::{self, FriendsAnswer, FriendsQuery},
        schedule,
    },
    cache::{
        clock::Clock,
        layer::{BatchAnswer, OriginError},
    },
};

/// The name under which the first page is kept; the others add their cursor.
const PAGE: &str = "friends";

/// The edge of a picture in the list, in CSS pixels. `boot.js` asks for pictures of this size, too.
pub const LIST_PICTURE_PX: u32 = 48;

/// The signed-in user's friends, as far as they were scrolled to. Clones share one list.
#[derive(Clone, Debug)]
pub struct FriendList {
    friends: ArcRwSignal<Vec<Friend>>,
    state: ArcRwSignal<ListState>,
    next: ArcRwSignal<Option<String>>,
    inner: SendWrapper<Rc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    cache: PictureCache,
    connection: Connection,
    /// Where the first page is kept for the first frame; none where LocalStorage is denied.
    local: Option<LocalPages>,
    pages: RefCell<Vec<StoredPage>>,
    loading: RefCell<bool>,
}

/// The cookie that tells `boot.js` whose list IndexedDB holds: then it need not be asked for before
/// WebAssembly has started.
pub(super) const LIST_COOKIE: &str = "miniature_list";

/// A page as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredPage {
    cursor: Option<String>,
    etag: Option<String>,
    page: FriendsPage,
}

/// A page, and the size of the pictures that came with it; none if the page has not changed.
type Answer = Result<Option<(FriendsAnswer, Option<Size>)>, OriginError>;

/// How far the list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// Nothing to show yet.
    Loading,
    /// What is shown is what there is, as far as it was scrolled to.
    Ready,
    /// The server could not be asked. What is shown, if anything, was kept from before.
    Unreachable,
}

/// Builds the account's friend list and puts it into the context. The first page that
/// LocalStorage holds is there when this returns.
pub fn provide_friend_list(cache: &PictureCache) -> FriendList {
    let list = FriendList {
        friends: ArcRwSignal::default(),
        state: ArcRwSignal::new(ListState::Loading),
        next: ArcRwSignal::default(),
        inner: SendWrapper::new(Rc::new(Inner {
            cache: cache.clone(),
            connection: use_connection(),
            local: LocalPages::open(cache.account()).ok(),
            pages: RefCell::default(),
            loading: RefCell::default(),
        })),
    };
    if let Some(page) = list.inner.local_page() {
        list.show(page);
    }
    list.load_first();
    list.reload_on_return();
    provide_context(list.clone());
    list
}

/// The friend list in the context.
pub fn use_friend_list() -> Option<FriendList> {
    use_context()
}

impl FriendList {
    /// The friends scrolled to so far, in the order of the list.
    pub fn friends_signal(&self) -> ArcRwSignal<Vec<Friend>> {
        self.friends.clone()
    }

    /// How far the list has come. Tracks.
    pub fn state(&self) -> ListState {
        self.state.get()
    }

    /// Whether there are friends beyond those scrolled to. Tracks.
    pub fn has_more(&self) -> bool {
        self.next.with(Option::is_some)
    }

    /// Loads the next page, unless one is being loaded.
    pub fn load_more(&self) {
        if let Some(cursor) = self.next.get_untracked() {
            self.load(Some(cursor));
        }
    }

    /// Asks again for what could not be had.
    pub fn retry(&self) {
        self.load_first();
        self.inner.cache.retry();
    }

    /// The friend, if they were scrolled to. Tracks.
    pub fn find(&self, user: &UserId) -> Option<Friend> {
        self.friends.with(|friends| friends.iter().find(|friend| friend.user_id == *user).cloned())
    }

    fn load_first(&self) {
        self.load(None);
    }

    fn reload_on_return(&self) {
        let list = self.clone();
        Effect::new(move |before: Option<bool>| {
            let reachable = list.inner.connection.is_reachable();
            if reachable && before == Some(false) {
                list.load_first();
            }
            reachable
        });
    }

    fn load(&self, cursor: Option<String>) {
        if self.inner.loading.replace(true) {
            return;
        }
        let list = self.clone();
        schedule::spawn(async move {
            list.load_page(cursor).await;
            list.inner.loading.replace(false);
        });
    }

    async fn load_page(&self, cursor: Option<String>) {
        let mut held = self.inner.page(cursor.as_deref());
        if held.is_none() {
            held = self.inner.durable_page(cursor.as_deref()).await;
            if let Some(page) = held.clone() {
                self.show(page);
            }
        }
        let since = BrowserClock.elapsed();
        let answer = match &held {
            None => self.ask_with_pictures(cursor.clone()).await,
            Some(held) => self.ask_for_news(held).await,
        };
        match self.inner.connection.note(answer) {
            Ok(None) => self.state.set(ListState::Ready),
            Ok(Some((answer, pictures))) => {
                let took = BrowserClock.elapsed().saturating_sub(since);
                self.take_answer(cursor, answer, pictures, took).await;
            }
            Err(_) => self.state.set(ListState::Unreachable),
        }
    }

    async fn ask_for_news(&self, held: &StoredPage) -> Answer {
        let StoredPage { cursor, etag, .. } = held.clone();
        let query = FriendsQuery { cursor, pictures: None, etag };
        let answer = self.inner.connection.api().friends(&query).await?;
        Ok(answer.map(|answer| (answer, None)))
    }

    /// The first page may be on its way already: `boot.js` asked for it before this code arrived.
    async fn ask_with_pictures(&self, cursor: Option<String>) -> Answer {
        let api = self.inner.connection.api();
        if cursor.is_none()
            && let Some(begun) = origin::take_boot_friends()
        {
            let pictures = begun.pictures;
            return Ok(api.boot_friends(begun).await?.map(|answer| (answer, pictures)));
        }
        let pictures = Some(rendition_size(LIST_PICTURE_PX));
        let query = FriendsQuery { cursor, pictures, etag: None };
        Ok(api.friends(&query).await?.map(|answer| (answer, pictures)))
    }

    /// Shows the page after its pictures are in memory: no row is painted without its picture.
    async fn take_answer(
        &self,
        cursor: Option<String>,
        answer: FriendsAnswer,
        pictures: Option<Size>,
        took: Duration,
    ) {
        let FriendsAnswer { page, pictures: renditions, etag } = answer;
        let records = page.friends.iter().map(|friend| friend.picture.clone()).collect();
        match pictures {
            Some(size) => {
                let answer = BatchAnswer { entries: Vec::new(), renditions };
                self.inner.cache.admit(records, answer, size, took);
            }
            None => self.inner.cache.observe(records),
        }
        let page = StoredPage { cursor, etag, page };
        self.show(page.clone());
        self.inner.keep(&page).await;
    }

    /// Shows a page in its place.
    fn show(&self, page: StoredPage) {
        let (friends, next) = {
            let mut pages = self.inner.pages.borrow_mut();
            match pages.iter_mut().find(|held| held.cursor == page.cursor) {
                Some(held) => *held = page,
                None => pages.push(page),
            }
            let friends: Vec<Friend> =
                pages.iter().flat_map(|held| held.page.friends.iter().cloned()).collect();
            (friends, pages.last().and_then(|held| held.page.next.clone()))
        };
        if self.friends.with_untracked(|shown| *shown != friends) {
            self.friends.set(friends);
        }
        self.next.set(next);
        self.state.set(ListState::Ready);
    }
}

impl Inner {
    fn page(&self, cursor: Option<&str>) -> Option<StoredPage> {
        self.pages.borrow().iter().find(|held| held.cursor.as_deref() == cursor).cloned()
    }

    /// What cannot be read back is as good as nothing: the server is asked.
    fn local_page(&self) -> Option<StoredPage> {
        json::read(&self.local.as_ref()?.get(PAGE).ok()??)
    }

    async fn durable_page(&self, cursor: Option<&str>) -> Option<StoredPage> {
        let name = name(cursor);
        let text = self.cache.pipeline().ask_durable(async |shelf| shelf.page_get(&name).await);
        json::read(&text.await??)
    }

    /// Keeps a page for the next visit. A storage that refuses costs that visit a request.
    async fn keep(&self, page: &StoredPage) {
        let Some(text) = json::write(page) else { return };
        if self.cache.pipeline().is_closed() {
            return;
        }
        if let (None, Some(local)) = (&page.cursor, &self.local) {
            let _ = local.put(PAGE, &text);
        }
        let (name, now) = (name(page.cursor.as_deref()), BrowserClock.now());
        let put = async |shelf: &IndexedDbShelf| shelf.page_put(&name, &text, now).await;
        let kept = self.cache.pipeline().ask_durable(put).await.is_some();
        if kept && page.cursor.is_none() && !self.cache.pipeline().is_closed() {
            let lasts = self.cache.pipeline().policy().indexed_db_fresh_for;
            cookies::set(LIST_COOKIE, self.cache.account().as_str(), lasts);
        }
    }
}

fn name(cursor: Option<&str>) -> String {
    cursor.map_or_else(|| PAGE.to_owned(), |cursor| format!("{PAGE}:{cursor}"))
}
