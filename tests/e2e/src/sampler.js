// Runs before the app on every page load: moves the clock, takes storage away, and looks at every
// frame. The harness reads `window.__seen`.
(() => {
  "use strict";
  const denyIndexedDb = /*DENY_INDEXED_DB*/ false;
  const nearlyFull = /*NEARLY_FULL*/ false;
  const saveData = /*SAVE_DATA*/ false;
  /** Whether each known user has a picture, by user id; empty where nobody asked the API. */
  const pictured = /*PICTURED*/ {};
  const height = /*HEIGHT*/ 0;
  const pixelRatio = /*PIXEL_RATIO*/ 0;
  let shift = 0;

  // Firefox would ask a person.
  if (navigator.storage?.persist) {
    window.__askedToStay = 0;
    navigator.storage.persisted = async () => false;
    navigator.storage.persist = async () => (window.__askedToStay++, false);
  }

  if (nearlyFull) {
    // WebKitGTK has no such API over plain HTTP.
    const storage = navigator.storage ?? { persisted: async () => false };
    storage.estimate = async () => ({ usage: 9e8, quota: 1e9 });
    Object.defineProperty(navigator, "storage", { value: storage, configurable: true });
  }

  const RealDate = Date;
  const now = () => RealDate.now() + shift;
  /** Moves the wall clock ahead. */
  const moveClock = (ms) => {
    if (shift === 0 && ms !== 0) replaceDate();
    shift += ms;
  };
  const replaceDate = () => {
    window.Date = new Proxy(RealDate, {
      construct: (target, args, self) =>
        Reflect.construct(target, args.length ? args : [now()], self === window.Date ? target : self),
      apply: () => new RealDate(now()).toString(),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });
  };
  moveClock(/*SHIFT_MS*/ 0);
  const realElapsed = performance.now.bind(performance);
  let passed = 0;
  /** Has time pass at once, by both clocks; timers and frames do not notice. */
  window.__pass = (ms) => {
    passed += ms;
    performance.now = () => realElapsed() + passed;
    moveClock(ms);
  };
  /** Makes the page believe that its tab was hidden or shown. */
  window.__setHidden = (hidden) => {
    const define = (name, value) => Object.defineProperty(document, name, { configurable: true, get: () => value });
    define("visibilityState", hidden ? "hidden" : "visible");
    define("hidden", hidden);
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  };
  if (saveData) {
    Object.defineProperty(navigator, "connection", { value: Object.assign(new EventTarget(), { saveData: true }) });
  }
  // Before the app reads it: WebKit goes on with the getter that it has seen, whatever is defined later.
  let ratio = pixelRatio || window.devicePixelRatio;
  Object.defineProperty(window, "devicePixelRatio", { get: () => ratio });
  /** Moves the window to a screen with other pixels. */
  window.__setPixelRatio = (now) => {
    ratio = now;
    dispatchEvent(new Event("resize"));
  };
  if (height) Object.defineProperty(window, "innerHeight", { get: () => height });
  if (denyIndexedDb) {
    Object.defineProperty(window, "indexedDB", {
      get() { throw new DOMException("IndexedDB is denied", "SecurityError"); },
    });
  }

  const seen = {
    want: 50, frames: 0, judged: 0, gaps: [], gap_frames: 0, problems: [],
    wasm_started_at: null, complete_at: null, live_urls: 0, peak_urls: 0, modal: null,
  };
  window.__seen = seen;
  let next = 0;
  const goOn = () => { next = requestAnimationFrame(frame); };
  /** Stops looking at frames until `__observe`: a page that is only kept open takes no time. */
  window.__rest = () => cancelAnimationFrame(next);
  /** Starts the observation anew, within the same document. */
  window.__observe = () => {
    window.__rest();
    goOn();
    return Object.assign(seen, {
      frames: 0, judged: 0, gaps: [], gap_frames: 0, complete_at: null, modal: null,
      peak_urls: seen.live_urls,
    });
  };

  const problem = (kind, text) => {
    if (seen.problems.length < 50) {
      seen.problems.push({ kind, text: String(text).slice(0, 600), at: performance.timeOrigin + realElapsed() });
    }
  };
  const readable = (value) => (value && value.stack) || (value && value.message) || value;
  const realError = console.error;
  console.error = (...values) => {
    problem("console.error", values.map(readable).join(" "));
    realError.apply(console, values);
  };
  addEventListener("error", (event) => {
    const target = event.target;
    if (target && target !== window) problem("load", target.src || target.href || target.tagName);
    else problem("error", readable(event.error) || event.message);
  }, true);
  addEventListener("unhandledrejection", (event) => problem("rejection", readable(event.reason)));
  document.addEventListener("securitypolicyviolation", (event) =>
    problem("csp", `${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));

  const live = new Set();
  const create = URL.createObjectURL, revoke = URL.revokeObjectURL;
  const count = () => {
    seen.live_urls = live.size;
    seen.peak_urls = Math.max(seen.peak_urls, live.size);
  };
  URL.createObjectURL = (object) => { const url = create.call(URL, object); live.add(url); count(); return url; };
  URL.revokeObjectURL = (url) => { revoke.call(URL, url); live.delete(url); count(); };

  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name];
    if (!real) continue;
    WebAssembly[name] = (...args) => real.apply(WebAssembly, args).then((result) => {
      seen.wasm_started_at ??= performance.now();
      return result;
    });
  }

  if (/*HOLD_APP*/ false) {
    const compile = WebAssembly.compileStreaming;
    const mayStart = new Promise((start) => { window.__startApp = start; });
    WebAssembly.compileStreaming = async (answer) => {
      await mayStart;
      return compile.call(WebAssembly, answer);
    };
  }
  if (/*NO_WEB_ASSEMBLY*/ false) window.WebAssembly = undefined;

  const shown = (element) => {
    const box = element.getBoundingClientRect();
    const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 &&
      box.top < innerHeight && box.left < innerWidth;
    return inside && (!element.checkVisibility ||
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
  };
  /** Whether it shows its image, or initials where they are right: somebody known to have a picture must show it. */
  const loaded = (picture) => {
    const image = picture.querySelector("img");
    if (picture.dataset.state === "fallback") return !image && pictured[picture.dataset.userId] !== true;
    return picture.dataset.state === "ready" && !!image && image.complete && image.naturalWidth > 0;
  };
  window.__isComplete = (picture) => !!picture && loaded(picture);
  const gap = (at, row, why) => {
    if (seen.gaps.length < 200) seen.gaps.push({ at, user: row.dataset.userId || row.textContent.trim().slice(0, 30), why });
  };
  const whyNot = (picture) => {
    const image = picture.querySelector("img");
    return `${picture.dataset.state}, ${image ? `img complete=${image.complete} width=${image.naturalWidth}` : "no img"}`;
  };
  const judge = (at, list) => {
    seen.judged += 1;
    let whole = true;
    for (const row of list.querySelectorAll("[data-testid=friend]")) {
      if (!shown(row)) continue;
      const picture = row.querySelector(".picture");
      if (picture && (!shown(picture) || loaded(picture))) continue;
      whole = false;
      gap(at, picture ?? row, picture ? whyNot(picture) : "no picture in the row");
    }
    if (!whole) seen.gap_frames += 1;
  };
  const lookAtModal = (at) => {
    const modal = document.querySelector("dialog[data-testid=profile-modal]");
    if (!modal || !modal.open || !shown(modal) || seen.modal) return;
    // While one picture replaces another there are two; what counts is the one that is painted.
    const image = [...modal.querySelectorAll(".picture img")].find(shown);
    seen.modal = {
      at, width: image ? image.naturalWidth : 0, complete: !!image && image.complete, shown: !!image,
    };
  };
  /** Every picture that the app or a plain page shows. */
  const all = () => {
    const ours = [...document.querySelectorAll("[data-testid=friend-list] .picture")];
    if (ours.length) return ours.map(loaded);
    return [...document.querySelectorAll("img.plain")].map((image) => image.complete && image.naturalWidth > 0);
  };
  const frame = (at) => {
    seen.frames += 1;
    const list = document.querySelector("[data-testid=friend-list]");
    if (list && shown(list)) judge(at, list);
    lookAtModal(at);
    if (seen.complete_at === null && all().filter(Boolean).length >= seen.want) {
      // Decoded and in the tree; two frames later it has been painted.
      seen.complete_at = -1;
      requestAnimationFrame(() => requestAnimationFrame(() => { seen.complete_at = performance.now(); }));
    }
    goOn();
  };
  goOn();
})();
