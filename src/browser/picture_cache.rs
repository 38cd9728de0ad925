//! The cache of pictures that the page shares with the service worker, by way of the Cache API.
//!
//! A picture stands under the address at which the server has it, the one that was put there longest ago
//! first. The cache has a name of its own for each sign-in, which LocalStorage knows: what is put into one
//! that was deleted since is in none. `MARK` tells it from one that was opened again by mistake.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, ArrayBuffer, Promise, Uint8Array};
use miniature_api::{ImageId, Size, UserId};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Cache, Headers, Request, Response, ResponseInit};

use super::{
    caches::{self, settled},
    local_storage::LocalStorageShelf,
    random,
};
use crate::cache::{
    core::{Op, Room, Written},
    entry::{Content, Found, Rendition},
    eviction::{Limits, Usage},
    key::{Lookup, RenditionKey},
    layer::LayerError,
    raster::RasterType,
    replay::Hollow,
};

/// The address of what tells that the cache was made, and not opened by mistake.
const MARK: &str = "/miniature-cache";

/// The cache of pictures of one account. Clones share it.
#[derive(Clone, Debug)]
pub struct PictureShelf {
    account: UserId,
    /// With its name.
    opened: Rc<RefCell<Option<(String, Cache)>>>,
}

/// A picture in the cache, as an answer of the server.
type Held = (RenditionKey, Response);

impl PictureShelf {
    /// The shelf of `account`. The cache is made by the first write.
    pub fn new(account: &UserId) -> Self {
        Self { account: account.clone(), opened: Rc::default() }
    }

    /// Returns the picture held for each lookup whose image is known: of the size asked for, or else the
    /// next larger, with at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn get_many(
        &self,
        lookups: &[Lookup],
        limit: usize,
    ) -> Result<Vec<Found>, LayerError> {
        let Some(cache) = self.open().await? else {
            return Ok(lookups.iter().map(|_| Found::default()).collect());
        };
        let held = keys(&cache).await?;
        let best = |lookup: &Lookup| {
            let fits = held
                .iter()
                .filter(|key| Some(key.image) == lookup.image && key.size >= lookup.wanted.size);
            fits.min_by_key(|key| key.size).copied()
        };
        let best: Vec<Option<RenditionKey>> = lookups.iter().map(best).collect();
        // Each once: an answer is read once.
        let mut wanted: Vec<RenditionKey> = Vec::new();
        for key in best.iter().flatten() {
            if !wanted.contains(key) {
                wanted.push(*key);
            }
        }
        let answers = wanted.iter().map(|key| cache.match_with_str(&address(*key))).collect();
        let buffer = |answer: JsValue| {
            // One that has gone meanwhile is undefined.
            let answer = answer.dyn_into::<Response>().ok();
            answer
                .and_then(|answer| answer.array_buffer().ok())
                .map_or(JsValue::UNDEFINED, Into::into)
        };
        let buffers = settled_all(answers).await?.iter().map(buffer).collect();
        let buffers = settled_all(buffers).await?;
        let read = wanted.into_iter().zip(buffers.iter()).map(|(key, buffer)| {
            let buffer = buffer.dyn_into::<ArrayBuffer>().ok()?;
            checked(key, Uint8Array::new(&buffer).to_vec(), limit)
        });
        let read: Vec<Rendition> = read.flatten().collect();
        let found = best.into_iter().map(|key| {
            let rendition = read.iter().find(|rendition| Some(rendition.key) == key).cloned();
            Found { rendition, ..Found::default() }
        });
        Ok(found.collect())
    }

    /// Keeps and removes pictures, and gives up what is too much.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent; some of it may be done then.
    pub async fn apply(&self, ops: &[Op<Content>], room: Room) -> Result<Written, LayerError> {
        let keeps = ops.iter().any(|op| matches!(op, Op::Rendition { .. }));
        let cache = match self.open().await? {
            Some(cache) => cache,
            None if keeps => self.make().await?,
            None => return Ok(Written::default()),
        };
        let mut held = contents(&cache).await?;
        if room.halve {
            let half = sum(held.iter()).half();
            shed(&cache, &mut held, half).await?;
        }
        // One after the other: each takes the page a millisecond.
        for op in ops {
            let leaving = held.iter().filter(|(key, _)| match op {
                // What is there already goes to the end.
                Op::Rendition { rendition, .. } => {
                    *key == rendition.key && !is_safe(&held, *key, room.limits)
                }
                Op::RemoveImage { image, .. } => key.image == *image,
                Op::RemoveRendition { key: removed, .. } => key == removed,
                // It knows nobody, and no lists.
                _ => false,
            });
            for (key, _) in leaving {
                settled(delete(&cache, *key)).await?;
            }
            if let Op::Rendition { rendition, .. } = op
                && !is_safe(&held, rendition.key, room.limits)
            {
                settled(put(&cache, rendition)?).await?;
            }
        }
        let mut held = contents(&cache).await?;
        shed(&cache, &mut held, room.limits).await?;
        Ok(Written { usage: sum(held.iter()), ..Written::default() })
    }

    /// How much it holds.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn usage(&self) -> Result<Usage, LayerError> {
        match self.open().await? {
            Some(cache) => Ok(sum(contents(&cache).await?.iter())),
            None => Ok(Usage::default()),
        }
    }

    /// All that it holds, without bytes, the one put there longest ago first.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    pub async fn inventory(&self) -> Result<Vec<(RenditionKey, Hollow)>, LayerError> {
        let Some(cache) = self.open().await? else { return Ok(Vec::new()) };
        let long = |(key, response): Held| {
            (key, Hollow(usize::try_from(length(&response)).unwrap_or_default()))
        };
        Ok(contents(&cache).await?.into_iter().map(long).collect())
    }

    /// The cache, if one was made since the account signed in.
    async fn open(&self) -> Result<Option<Cache>, LayerError> {
        let shelf = LocalStorageShelf::open(&self.account)?;
        let Some(name) = shelf.picture_cache() else { return Ok(None) };
        if let Some((opened, cache)) = &*self.opened.borrow()
            && *opened == name
        {
            return Ok(Some(cache.clone()));
        }
        let cache = caches::open_pictures(&self.account, &name).await?;
        if settled(cache.match_with_str(MARK)).await?.is_undefined() {
            caches::delete_pictures(&self.account, &name).await?;
            return Ok(None);
        }
        self.opened.replace(Some((name, cache.clone())));
        Ok(Some(cache))
    }

    async fn make(&self) -> Result<Cache, LayerError> {
        // That of one that is gone, if any.
        let before = LocalStorageShelf::open(&self.account)?.picture_cache();
        let name = format!("{:016x}", random::seed());
        let cache = caches::open_pictures(&self.account, &name).await?;
        let mark = Response::new().map_err(|_| LayerError::Failed)?;
        settled(cache.put_with_str(MARK, &mark)).await?;
        if let Err(error) = self.note(&name, before) {
            caches::delete_pictures(&self.account, &name).await?;
            return Err(error);
        }
        self.opened.replace(Some((name, cache.clone())));
        Ok(cache)
    }

    /// Notes its name, unless another tab was faster.
    fn note(&self, name: &str, before: Option<String>) -> Result<(), LayerError> {
        let shelf = LocalStorageShelf::open(&self.account)?;
        match shelf.picture_cache() == before {
            true => shelf.note_picture_cache(name),
            false => Err(LayerError::Disconnected),
        }
    }
}

/// Whether it is held, and not among the first to go.
fn is_safe(held: &[Held], key: RenditionKey, limits: Limits) -> bool {
    let place = held.iter().position(|(other, _)| *other == key);
    let fills = held.len() * 2 > limits.entries;
    place.is_some_and(|place| !fills || place * 4 >= held.len())
}

/// Removes what was put there longest ago until the rest is within the limits.
async fn shed(cache: &Cache, held: &mut Vec<Held>, limits: Limits) -> Result<(), LayerError> {
    let Usage { mut entries, mut bytes } = sum(held.iter());
    let mut surplus = 0;
    while entries > limits.entries || bytes > limits.bytes {
        (entries, bytes) = (entries - 1, bytes - length(&held[surplus].1));
        surplus += 1;
    }
    let leaving = held.drain(..surplus).map(|(key, _)| delete(cache, key));
    settled_all(leaving.collect()).await.map(drop)
}

fn sum<'a>(held: impl Iterator<Item = &'a Held>) -> Usage {
    held.fold(Usage::default(), |sum, (_, response)| Usage {
        entries: sum.entries + 1,
        bytes: sum.bytes + length(response),
    })
}

fn length(response: &Response) -> u64 {
    let length = response.headers().get("content-length").ok().flatten();
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// What it holds, without the mark and whatever else is no picture. The answers are for sums alone: another tab
/// may have changed the cache between the keys and them.
///
/// # Source
///
/// Service Workers, W3C: `keys` and `matchAll` walk the same list.
async fn contents(cache: &Cache) -> Result<Vec<Held>, LayerError> {
    let both = settled_all(Array::of2(&cache.keys(), &cache.match_all())).await?;
    let (keys, answers): (Array, Array) =
        (both.get(0).unchecked_into(), both.get(1).unchecked_into());
    let pairs = keys.iter().zip(answers.iter());
    Ok(pairs
        .filter_map(|(request, response)| {
            let key = key_of(&request.unchecked_into::<Request>())?;
            Some((key, response.unchecked_into()))
        })
        .collect())
}

async fn keys(cache: &Cache) -> Result<Vec<RenditionKey>, LayerError> {
    let requests: Array = settled(cache.keys()).await?.unchecked_into();
    Ok(requests.iter().filter_map(|request| key_of(&request.unchecked_into())).collect())
}

async fn settled_all(promises: Array) -> Result<Array, LayerError> {
    Ok(settled(Promise::all(&promises)).await?.unchecked_into())
}

/// How the addresses of pictures on the server begin.
pub const ADDRESSES: &str = "/images/";

/// Where the server has it.
pub fn address(key: RenditionKey) -> String {
    format!("{ADDRESSES}{}?size={}", key.image, key.size.px())
}

fn key_of(request: &Request) -> Option<RenditionKey> {
    let url = request.url();
    let (image, size) = url.split_once(ADDRESSES)?.1.split_once("?size=")?;
    let (image, size): (ImageId, u32) = (image.parse().ok()?, size.parse().ok()?);
    let size = Size::ALL.into_iter().find(|known| known.px() == size)?;
    Some(RenditionKey { image, size })
}

/// None for what is no picture of this size: the worker keeps what the server sends.
fn checked(key: RenditionKey, bytes: Vec<u8>, limit: usize) -> Option<Rendition> {
    let kind = RasterType::check(&bytes, key.size, limit).ok()?;
    Some(Rendition { key, content: Content::Bytes(kind, bytes.into()) })
}

fn delete(cache: &Cache, key: RenditionKey) -> Promise {
    cache.delete_with_str(&address(key))
}

/// Puts it there as an answer of the server that has come now.
fn put(cache: &Cache, rendition: &Rendition) -> Result<Promise, LayerError> {
    let bytes = match &rendition.content {
        Content::Bytes(_, bytes) => Uint8Array::from(&bytes[..]),
        Content::DataUrl(url) => {
            let text = url.split_once(',').map_or("", |(_, text)| text);
            // A letter is a byte.
            let text = web_sys::window().and_then(|window| window.atob(text).ok());
            let bytes: Vec<u8> = text.ok_or(LayerError::Failed)?.chars().map(|c| c as u8).collect();
            Uint8Array::from(&bytes[..])
        }
    };
    let response = answer(&bytes).map_err(|_| LayerError::Failed)?;
    Ok(cache.put_with_str(&address(rendition.key), &response))
}

fn answer(bytes: &Uint8Array) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", RasterType::Webp.media_type())?;
    headers.set("content-length", &bytes.length().to_string())?;
    headers.set("date", &String::from(js_sys::Date::new_0().to_utc_string()))?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    Response::new_with_opt_buffer_source_and_init(Some(bytes), &init)
}
