//! Scripts that look at the page, by the DOM hooks of the design.

/// Rows of the friend list that show their picture, or initials if their friend has none.
pub const COMPLETE_ROWS: &str = "
    const rows = [...document.querySelectorAll('[data-testid=friend-list] [data-testid=friend]')];
    return rows.filter((row) => window.__isComplete(row.querySelector('.picture'))).length";

/// The layers that the pictures of the list came from, each once, sorted.
pub const SOURCES: &str = "
    const pictures = document.querySelectorAll('[data-testid=friend-list] .picture[data-state=ready]');
    return [...new Set([...pictures].map((picture) => picture.dataset.source))].sort()";

/// The layers that the pictures of the rows in view came from, each once, sorted.
pub const SOURCES_IN_VIEW: &str = "
    const pictures = document.querySelectorAll('[data-testid=friend-list] .picture[data-state=ready]');
    const inView = [...pictures].filter((picture) => {
        const box = picture.getBoundingClientRect();
        return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
    });
    return [...new Set(inView.map((picture) => picture.dataset.source))].sort()";

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
        for (const [key, value] of Object.entries(sessionStorage)) found.push(`SessionStorage ${key}=${value.slice(0, 400)}`);
        for (const cookie of document.cookie.split('; ').filter(Boolean)) found.push(`Cookie ${cookie}`);
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

/// Whether it can be clicked, too: a list that is held back until its next frame cannot.
pub fn is_clickable(selector: &str) -> String {
    format!("{} && getComputedStyle(element).visibility === 'visible'", is_visible(selector))
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
