// The service worker. It answers for pages, for the files that they are made of, and for `/images/`; every
// other request passes it by. Without it everything works except a reload offline (src/browser/worker.rs).
"use strict";

// Written by `cargo xtask dist`: what the build is called, what it is made of, and the SHA-256 of its page.
const VERSION = "";
const FILES = [];
const PAGE_HASH = "";

// A page is stored under each of these: the source of a static route matches the request's own address.
const PAGES = ["/", "/friends", "/feed", "/me"];
const IS_PAGE = /^\/(sign-in|friends|friends\/[\w-]+|feed|me)?$/;
const IS_HASHED = /-[0-9a-f]{12,16}[._][^/]*$/;
const IS_PICTURE = /^\/images\/[0-9a-f]{32}$/;
const SHELL = "miniature-shell-v1:";
const PICTURES = "miniature-pictures-v1:";
// The page puts this into a cache of pictures when it makes it.
const MARK = "/miniature-cache";
const NETWORK_WITHIN_MS = 1000;

// The page names its limits (src/cache/policy.rs) in this script's address.
const limit = (name) => Number(new URL(location.href).searchParams.get(name));
const MAX_ENTRIES = limit("max_entries");
const MAX_BYTES = limit("max_bytes");
const MAX_AGE_MS = limit("max_age_s") * 1000;
const AHEAD_MS = limit("ahead_s") * 1000;
const BATCH = limit("batch");
// By which the browser wakes this worker.
const TAG = "miniature";

const shellName = SHELL + VERSION;
const namesLike = async (start) => (await caches.keys()).filter((name) => name.startsWith(start));
const isUnder = (age, limit) => age >= 0 && age < limit;
const isWhole = (response) => response.status === 200 && !response.redirected;

addEventListener("install", (event) => event.waitUntil(install(event)));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", answer);
addEventListener("message", (event) => event.waitUntil(hear(event)));
for (const kind of ["sync", "periodicsync"]) {
  addEventListener(kind, (event) => event.tag === TAG && event.waitUntil(wake()));
}

// All of it or nothing: a version of which a file is missing never begins.
async function install(event) {
  const isNew = !(await caches.has(shellName));
  const page = fetch("/", { cache: "no-cache" }).then(checkPage);
  const files = FILES.map((file) => fetch(file, { cache: IS_HASHED.test(file) ? "default" : "no-cache" }));
  const [shell, ...rest] = await Promise.all([page, ...files]);
  if (![shell, ...rest].every(isWhole)) throw new Error("a file of this version is missing");
  try {
    const cache = await caches.open(shellName);
    const pages = PAGES.map((path) => cache.put(path, shell.clone()));
    await Promise.all([...pages, ...rest.map((file, nth) => cache.put(FILES[nth], file))]);
  } catch (error) {
    if (isNew) await caches.delete(shellName);
    throw error;
  }
  await addStaticRoutes(event);
}

// The server may be between two versions.
async function checkPage(page) {
  const hash = await crypto.subtle.digest("SHA-256", await page.clone().arrayBuffer());
  const digits = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (digits !== PAGE_HASH) throw new Error("the page is of another version");
  return page;
}

// Where the browser has them, a page comes from the cache without this worker being started, and its files from
// the network: the page, which waits for its style, does not wait for the worker.
async function addStaticRoutes(event) {
  const by = (source) => (pathname) => ({ condition: { urlPattern: new URLPattern({ pathname }) }, source });
  const passes = by("network");
  const races = by("race-network-and-fetch-handler");
  const stored = (pathname) => ({
    condition: { urlPattern: new URLPattern({ pathname, search: "" }), requestMode: "navigate" },
    source: { cacheName: shellName },
  });
  try {
    await event.addRoutes([passes("/api/*"), ...PAGES.map(stored), races("/miniature-*"), ...FILES.map(races)]);
  } catch {
    // Not here: `answer` does it.
  }
}

// The shell that was active last stays, with the files of tabs that were opened with it.
async function activate() {
  const shells = await namesLike(SHELL);
  const since = async (name) => Number(await (await (await caches.open(name)).match(MARK))?.text());
  const others = shells.filter((name) => name !== shellName);
  const times = await Promise.all(others.map(since));
  const last = others[times.indexOf(Math.max(...times.filter(Boolean)))];
  // One without a time was never active: left half-way, or being installed just now.
  const isComing = registration.installing || registration.waiting;
  const leaving = others.filter((name, nth) => name !== last && (times[nth] || !isComing));
  await Promise.all(leaving.map((name) => caches.delete(name)));
  await (await caches.open(shellName)).put(MARK, new Response(Date.now()));
}

function answer(event) {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || request.headers.has("range")) return;
  if (request.mode === "navigate") {
    if (IS_PAGE.test(pathname) && !searchParams.has("no-sw")) event.respondWith(page(request));
  } else if (IS_HASHED.test(pathname)) {
    event.respondWith(file(request));
  } else if (FILES.includes(pathname)) {
    event.respondWith(fetch(request).catch(() => stored(request)));
  } else if (IS_PICTURE.test(pathname)) {
    event.respondWith(picture(event));
  }
}

async function page(request) {
  return (await caches.match("/", { cacheName: shellName })) ?? fetch(request);
}

// The HTTP cache keeps the compiled WebAssembly with the response, so the network is asked first.
async function file(request) {
  const network = fetch(request);
  // Waited for below, if at all.
  network.catch(() => {});
  const inTime = new Promise((end) => setTimeout(end, NETWORK_WITHIN_MS));
  const response = await Promise.race([network, inTime]).catch(() => undefined);
  if (response?.ok) return response;
  return (await stored(request)) ?? network;
}

async function stored(request) {
  for (const name of await namesLike(SHELL)) {
    const response = await caches.match(request, { cacheName: name, ignoreVary: true });
    if (response) return response;
  }
}

// A picture never changes: one that is held too long is shown, and asked for again.
async function picture(event) {
  const { request } = event;
  // Opened before the network is asked: if the cache is erased meanwhile, a late put lands in one without a name.
  const cache = await pictureCache();
  const held = await cache?.match(request, { ignoreVary: true });
  const age = held && Date.now() - Date.parse(held.headers.get("date"));
  if (held) event.waitUntil(isUnder(age, MAX_AGE_MS) ? touch(cache, request, held.clone()) : renew(cache, request));
  return held ?? ask(event, cache);
}

async function ask(event, cache) {
  try {
    const response = await fetch(event.request);
    if (cache) event.waitUntil(keep(cache, event.request, response.clone()));
    return response;
  } catch {
    return nobody();
  }
}

// Asks past the HTTP cache, which keeps pictures for a year: the date of the answer is that of today.
async function renew(cache, request) {
  // What is waited for comes first.
  const response = await fetch(request.url, { cache: "no-cache", priority: "low" }).catch(() => undefined);
  if (response) await keep(cache, request, response);
  return response;
}

// What would be among the first to go, and is used, goes to the end.
async function touch(cache, request, response) {
  const urls = (await cache.keys()).map(({ url }) => url);
  const place = urls.indexOf(request.url);
  if (urls.length * 2 > MAX_ENTRIES && place * 4 < urls.length) await keep(cache, request, response);
}

// One change of the cache after the other: each counts what is there.
let changed = Promise.resolve();
function keep(cache, request, response) {
  changed = changed.then(() => keepNow(cache, request, response)).catch(() => {});
  return changed;
}

// Puts it at the end, and takes what is too much from the front: what was used longest ago.
async function keepNow(cache, request, response) {
  const isPicture = response.headers.get("content-type") === "image/webp";
  if (!isWhole(response) || !isPicture) return;
  const put = async () => {
    // One that is there already keeps its place in WebKit.
    await cache.delete(request.url);
    await cache.put(request.url, response.clone());
  };
  try {
    await put();
  } catch {
    // The disk is full: half of it goes, and it is tried once more.
    await shed(cache, MAX_ENTRIES / 2, MAX_BYTES / 2);
    await put().catch(() => {});
  }
  await shed(cache, MAX_ENTRIES, MAX_BYTES);
}

async function shed(cache, entries, bytes) {
  const held = await contents(cache);
  let rest = { entries: held.length, bytes: held.reduce((sum, { bytes }) => sum + bytes, 0) };
  for (const entry of held) {
    if (rest.entries <= entries && rest.bytes <= bytes) return;
    await cache.delete(entry.request);
    rest = { entries: rest.entries - 1, bytes: rest.bytes - entry.bytes };
  }
}

// Every picture in a cache, the one that was used longest ago first.
async function contents(cache) {
  const requests = (await cache.keys()).filter(({ url }) => IS_PICTURE.test(new URL(url).pathname));
  const entries = requests.map(async (request) => {
    const response = await cache.match(request);
    if (!response) return [];
    const bytes = Number(response.headers.get("content-length")) || 0;
    const age = Date.now() - Date.parse(response.headers.get("date"));
    return { request, bytes, age };
  });
  // Without those that have gone meanwhile.
  return (await Promise.all(entries)).flat();
}

// The one that the page of the account has made. Of two, one is still to be erased, and nothing tells which.
async function pictureCache() {
  const [name, other] = await namesLike(PICTURES);
  if (!name || other) return undefined;
  // Opening one that was erased would make it again.
  const isMade = await caches.match(MARK, { cacheName: name });
  return isMade && caches.open(name);
}

function nobody() {
  const body = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path fill="#888" fill-opacity=".3" \
d="M0 0h48v48H0z"/><path fill="#888" d="M24 25a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM8 48a16 16 0 0 1 32 0Z"/></svg>`;
  const headers = { "content-type": "image/svg+xml", "cache-control": "no-store" };
  return new Response(body, { headers });
}

// Asks again for the pictures that soon are held too long, and says how many that were. Without a network the browser
// wakes this worker once there is one, where browsers do that.
async function refresh() {
  const cache = await pictureCache();
  const old = cache ? (await contents(cache)).filter(({ age }) => !isUnder(age, MAX_AGE_MS - AHEAD_MS)) : [];
  for (let nth = 0; nth < old.length; nth += BATCH) {
    const some = old.slice(nth, nth + BATCH);
    const answers = await Promise.all(some.map(({ request }) => renew(cache, request)));
    if (!answers.every(Boolean)) await later();
  }
  return old.length;
}

async function later() {
  await registration.sync?.register(TAG);
  throw new Error("no network");
}

// An open page does all that is to be done; without one the pictures are renewed.
async function wake() {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) page.postMessage({ type: "sync" });
  if (!pages.length) await refresh();
}

// Has the browser wake this worker once a day, where that exists and is granted; nobody is asked.
async function wakeDaily() {
  const { state } = await navigator.permissions.query({ name: "periodic-background-sync" });
  if (state === "granted") await registration.periodicSync.register(TAG, { minInterval: AHEAD_MS });
}

const REPLIES = {
  ping: () => true,
  version: () => VERSION,
  skip_waiting: () => skipWaiting(),
  later,
  sync() {
    wakeDaily().catch(() => {});
    return refresh();
  },
  async stats() {
    const cache = await pictureCache();
    const held = cache ? await contents(cache) : [];
    const valid = held.filter(({ age }) => isUnder(age, MAX_AGE_MS)).length;
    const bytes = held.reduce((sum, { bytes }) => sum + bytes, 0);
    return { entries: held.length, valid, expired: held.length - valid, bytes };
  },
  async clear() {
    await Promise.all((await namesLike(PICTURES)).map((name) => caches.delete(name)));
  },
  async invalidate({ image_id: image }) {
    const cache = await pictureCache();
    await cache?.delete(`/images/${image}`, { ignoreSearch: true });
  },
};

// Each message brings a port for its answer.
async function hear({ data, ports: [port] }) {
  const isKnown = Object.hasOwn(REPLIES, data?.type);
  try {
    if (!isKnown) throw new Error("no such message");
    port?.postMessage({ ok: (await REPLIES[data.type](data)) ?? null });
  } catch (error) {
    port?.postMessage({ error: String(error) });
  }
}
