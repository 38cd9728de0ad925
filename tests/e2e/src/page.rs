//! Scripts that look at the page, by the DOM hooks of the design.

/// Rows of the friend list that show their picture, or initials for want of one.
pub const COMPLETE_ROWS: &str = "
    const rows = [...document.querySelectorAll('[data-testid=friend-list] [data-testid=friend]')];
    const complete = (row) => {
        const picture = row.querySelector('.picture');
        const image = picture && picture.querySelector('img');
        if (!picture) return false;
        if (picture.dataset.state === 'fallback') return !image;
        return picture.dataset.state === 'ready' && image && image.complete && image.naturalWidth > 0;
    };
    return rows.filter(complete).length";

/// The layers that the pictures of the list came from, each once, sorted.
pub const SOURCES: &str = "
    const pictures = document.querySelectorAll('[data-testid=friend-list] .picture[data-state=ready]');
    return [...new Set([...pictures].map((picture) => picture.dataset.source))].sort()";

/// User ids of the list, in its order.
pub const LISTED: &str = "
    const pictures = document.querySelectorAll('[data-testid=friend-list] .picture');
    return [...pictures].map((picture) => picture.dataset.userId)";

/// Everything that any storage of the page holds, as text: keys, names, addresses.
pub const STORED: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const found = [];
        for (const [key, value] of Object.entries(localStorage)) found.push(`LocalStorage ${key}=${value.slice(0, 400)}`);
        const databases = indexedDB.databases ? await indexedDB.databases() : [];
        for (const { name } of databases) found.push(`IndexedDB ${name}`);
        if (window.caches) {
            for (const name of await caches.keys()) {
                for (const request of await (await caches.open(name)).keys()) found.push(`Cache ${name} ${request.url}`);
            }
        }
        return found;
    })().then((found) => done({ found }), (error) => done({ error: String(error) }))";

/// Whether the element is there and takes up room.
pub fn is_visible(selector: &str) -> String {
    format!(
        "const element = document.querySelector({selector:?});
         return !!element && element.getClientRects().length > 0"
    )
}

/// Whether the element is gone, or takes up no room.
pub fn is_gone(selector: &str) -> String {
    format!(
        "const element = document.querySelector({selector:?});
         return !element || element.getClientRects().length === 0"
    )
}

/// `data-testid` as a selector.
pub fn hook(name: &str) -> String {
    format!("[data-testid={name}]")
}
