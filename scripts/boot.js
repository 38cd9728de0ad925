// What the page does before WebAssembly. On a cold visit it asks for what the first frame needs; the app
// takes over the promises (src/browser/origin/boot.rs). On a warm one it draws the page from LocalStorage,
// if all of it is at hand, and the program starts once that is painted. The app takes its place in the
// frame in which its own page is complete (src/browser/first_screen.rs). A journey compares the two.
(() => {
  "use strict";

  // Storage may be blocked, and what is in it may be anything.
  const stored = (key) => {
    try {
      return localStorage.getItem(`miniature:v1:${key}`);
    } catch {
      return null;
    }
  };
  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };
  const cookie = (name) => {
    const pair = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
    return pair ? pair.slice(name.length + 1) : "";
  };

  // The program waits for this.
  window.miniatureMayStart = Promise.resolve();
  const { pathname } = location;
  const [, profile] = /^\/friends\/([\w-]{1,64})$/.exec(pathname) ?? [];
  const opensList = pathname === "/" || pathname === "/friends" || pathname.startsWith("/friends/");
  // Who is signed in, as the server says, and whose list IndexedDB holds, as the app says: there it
  // may be even if LocalStorage was emptied, and asking the database itself would take too long.
  const marker = cookie("miniature_account");
  const held = cookie("miniature_list");
  const owner = marker.split(".")[0];
  const isKnown = parsed(stored("account"))?.user_id === owner;
  const list = isKnown ? stored(`${owner}:page:friends`) : null;
  // The session is to end: nothing is asked for in it, and nothing of it is shown.
  const isEnding = stored("sign-out-owed") === marker;

  function ask() {
    // The smallest with at least 0.75 of the device pixels of the list's 48 CSS pixels.
    const wanted = 48 * 0.75 * (window.devicePixelRatio || 1);
    const pictures = [64, 128, 256, 512].find((size) => size >= wanted) ?? 512;
    const begun = { marker, asked_at: performance.now(), pictures, abort: {} };
    const lineage = stored(`${owner}:lineage`);
    const headers = lineage ? { "miniature-lineage": lineage } : {};
    const begin = (name, path) => {
      const abort = new AbortController();
      const { signal } = abort;
      const answer = fetch(path, { headers, signal, cache: "no-store", redirect: "error" });
      begun[name] = answer;
      begun.abort[name] = abort;
      // Nobody need hear of a failure: the app asks anew.
      answer.catch(() => delete begun[name]);
    };
    window.__miniature = begun;
    begin("session", "/api/session");
    if (held !== owner) begin("friends", `/api/friends?limit=50&pictures=${pictures}`);
  }

  // Throws where something is missing or is not what it should be.
  function draw() {
    const isFeed = pathname === "/feed";
    if (!isFeed && pathname !== "/friends" && !profile) return;
    const drawn = make("div", { "aria-busy": true }, [
      header(isFeed),
      make("main", { class: "page", tabindex: -1 }, isFeed ? feed() : friends()),
      make("div", { class: "offline", role: "status" }),
      make("button", {
        type: "button", class: "dashboard-toggle", "data-testid": "cache-dashboard-toggle",
        "aria-label": "Cache dashboard", title: "Cache dashboard (Alt+Shift+C)", "aria-expanded": false,
      }, [icon("M2 13.5h12M4 11V7.5M8 11V3M12 11V5.5")]),
    ]);
    const { root, giveWay } = handOver(drawn);
    window.miniatureFirstScreen = { root, giveWay };
    window.miniatureMayStart = show(drawn).catch(giveWay);
  }

  // Ends once it is painted, its pictures too, and the frames after it: the program takes the main thread
  // for the length of several. Throws if a picture does not come at once.
  async function show(drawn) {
    const images = [...drawn.querySelectorAll("img")];
    const soon = (ms) => new Promise((end) => setTimeout(end, ms));
    // Named once: minifying would take it from its object, without which it throws.
    const either = (...ends) => Promise.race(ends);
    const frame = () => either(new Promise(requestAnimationFrame), soon(document.hidden ? 0 : 200));
    if (!document.body) await bodyParsed();
    document.body.prepend(drawn);
    drawn.querySelector("dialog")?.showModal();
    // No row is seen without its picture, not for a frame. `load` comes later than `complete`.
    const isPicture = ({ complete, naturalWidth }) => complete && naturalWidth;
    const until = performance.now() + 150;
    while (!images.every(isPicture)) {
      if (performance.now() > until) throw images;
      drawn.style.visibility = "hidden";
      await frame();
    }
    drawn.style.visibility = "";
    await either(Promise.allSettled(images.map((image) => image.decode())), soon(300));
    for (let frames = 0; frames < 3; frames++) await frame();
    await soon(0);
  }

  function bodyParsed() {
    return new Promise((end) => {
      const observer = new MutationObserver(() => {
        if (!document.body) return;
        observer.disconnect();
        end();
      });
      observer.observe(document.documentElement, { childList: true });
    });
  }

  // What has been done here is carried out there: both have the same elements.
  function handOver(drawn) {
    const root = document.createElement("div");
    const there = (element) => {
      if (element === drawn) return root;
      const parent = drawn.contains(element) ? there(element.parentElement) : null;
      return parent?.children[[...element.parentElement.children].indexOf(element)];
    };
    let clicked = null;
    drawn.addEventListener("click", (event) => {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      clicked = event.target.closest("a, button");
    });
    const dialog = drawn.querySelector("dialog");
    dialog?.addEventListener("cancel", (event) => {
      event.preventDefault();
      clicked = dialog.querySelector("button");
    });
    const giveWay = () => {
      if (root.isConnected) return;
      const [focus, click] = [there(document.activeElement), there(clicked)];
      const fields = [...drawn.querySelectorAll("input, textarea")].filter(({ value }) => value);
      if (drawn.isConnected) drawn.replaceWith(root);
      else document.body.prepend(root);
      if (dialog?.open) there(dialog)?.showModal();
      for (const field of fields) {
        const same = there(field);
        if (!same) continue;
        same.value = field.value;
        same.dispatchEvent(new Event("input", { bubbles: true }));
      }
      focus?.focus({ preventScroll: true });
      click?.click();
    };
    return { root, giveWay };
  }

  function make(name, attributes, children = []) {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    element.append(...children);
    return element;
  }

  // As src/app/ and src/ui/ draw them.
  function icon(path) {
    const template = document.createElement("template");
    template.innerHTML =
      `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${path}"></path></svg>`;
    return template.content.firstChild;
  }

  function header(isFeed) {
    const link = (href, text, isHere) =>
      make("a", isHere ? { href, "aria-current": "page" } : { href }, [text]);
    return make("header", { class: "shell-header" }, [
      make("div", { class: "shell-bar" }, [
        make("a", { class: "wordmark", href: "/friends" }, ["Miniature"]),
        make("nav", { class: "shell-nav", "aria-label": "Pages" }, [
          link("/friends", "Friends", !isFeed), link("/feed", "Feed", isFeed), link("/me", "Me"),
        ]),
        make("button", { type: "button", class: "sign-out", "data-testid": "sign-out" }, ["Sign out"]),
      ]),
    ]);
  }

  // Fifty clones of one row take a third of the time of fifty rows.
  function friends() {
    const { friends, next } = parsed(list).body.Friends;
    if (!friends.length) throw friends;
    const words = (name) => make("span", { class: name }, [make("bdi")]);
    const model = make("li", { "aria-setsize": next ? -1 : friends.length }, [
      make("a", { class: "friend", "data-testid": "friend", "data-noscroll": true }, [
        place(48),
        make("span", { class: "friend-text" }, [words("friend-name"), words("friend-headline")]),
      ]),
    ]);
    const rows = friends.map(({ user_id: user, name, headline }, at) => {
      const row = model.cloneNode(true);
      const link = row.firstChild;
      const [picture, text] = link.children;
      row.setAttribute("aria-posinset", at + 1);
      row.style.setProperty("--at", at);
      link.setAttribute("href", `/friends/${user}`);
      fill(picture, user, name);
      say(text.firstChild, name);
      say(text.lastChild, headline);
      return row;
    });
    const ul = make("ul", { class: "friend-list", "data-testid": "friend-list" }, rows);
    ul.style.setProperty("--rows", rows.length);
    return [
      make("h1", {}, ["Friends"]),
      make("input", {
        type: "search", class: "field friend-filter", "data-testid": "friend-filter",
        placeholder: "Find a friend", "aria-label": "Find a friend by name", autocomplete: "off",
        autocorrect: "off", spellcheck: false,
      }),
      ul,
      ...(profile ? [modal(friends.find(({ user_id: user }) => user === profile))] : []),
    ];
  }

  function modal({ user_id: user, name, headline }) {
    const picture = place(192);
    const [title, words] = [make("h2", { id: "profile-name", class: "profile-name" }, [make("bdi")]),
      make("p", { class: "profile-headline" }, [make("bdi")])];
    fill(picture, user, name);
    say(title, name);
    say(words, headline);
    return make("dialog", {
      class: "profile-modal", "data-testid": "profile-modal", "aria-labelledby": "profile-name",
      tabindex: -1,
    }, [
      make("div", { class: "profile-sheet" }, [
        make("button", { type: "button", class: "modal-close", "aria-label": "Close" }, [
          icon("M3.5 3.5l9 9M12.5 3.5l-9 9"),
        ]),
        make("div", { class: "profile-card" }, [
          picture, title, words, make("p", { class: "profile-friends" }),
        ]),
      ]),
    ]);
  }

  function feed() {
    const { posts } = parsed(stored(`${owner}:page:feed`)).body.Feed;
    const model = make("li", { class: "post", "data-testid": "post" }, [
      place(48),
      make("div", { class: "post-body" }, [
        make("p", { class: "post-head" }, [
          make("a", { class: "post-author" }, [make("bdi")]), make("time", { class: "post-time" }),
        ]),
        make("p", { class: "post-text", dir: "auto" }),
      ]),
    ]);
    const rows = posts.map(({ author: { user_id: user, name }, text, created_at: at }) => {
      const row = model.cloneNode(true);
      const [picture, { firstChild: head, lastChild: words }] = row.children;
      const [author, time] = head.children;
      fill(picture, user, name);
      author.setAttribute("href", `/friends/${user}`);
      say(author, name);
      time.setAttribute("datetime", new Date(at * 1000).toISOString());
      time.textContent = ago(at);
      words.textContent = text;
      return row;
    });
    return [
      make("h1", {}, ["Feed"]),
      make("form", { class: "post-form" }, [
        make("textarea", {
          class: "field", "data-testid": "post-text", "aria-label": "What is new?",
          placeholder: "What is new?", rows: 3,
        }),
        make("p", { class: "post-left", role: "status" }),
        make("button", { type: "submit", class: "button", "data-testid": "post-submit", disabled: "" }, ["Post"]),
      ]),
      make("div", { class: "new-posts", role: "status" }),
      make("ol", { class: "feed", "data-testid": "feed" }, rows),
    ];
  }

  // src/app/feed/ago.rs
  function ago(at) {
    const age = Math.max(0, Math.floor(Date.now() / 1000) - at);
    const [minute, hour, day] = [60, 3600, 86400];
    if (age < minute) return "now";
    if (age < hour) return `${Math.floor(age / minute)} min`;
    if (age < day) return `${Math.floor(age / hour)} h`;
    if (age < 7 * day) return `${Math.floor(age / day)} d`;
    return new Date(at * 1000).toLocaleDateString();
  }

  function say(element, text) {
    if (typeof text !== "string") throw text;
    element.firstChild.textContent = text;
  }

  function place(size) {
    const image = { alt: "", width: size, height: size, decoding: "sync", draggable: false };
    const span = make("span", { class: "picture" }, [make("img", image)]);
    span.style.setProperty("--picture-size", `${size}px`);
    return span;
  }

  function fill(picture, user, name) {
    if (!/^[\w-]{1,64}$/.test(user)) throw user;
    const [, revision, image] = /^(\d+) ([0-9a-f]{32}|-) /.exec(stored(`${owner}:record:${user}`));
    Object.assign(picture.dataset, { userId: user, revision, state: "fallback" });
    if (image === "-") return picture.replaceChildren(initials(user, name));
    const [, held, src] = /^([0-9a-f]{32}) \d+ (data:image\/\S+)$/.exec(stored(`${owner}:preview:${user}`));
    if (held !== image) throw held;
    Object.assign(picture.dataset, { state: "ready", source: "local_storage" });
    picture.firstChild.src = src;
  }

  // src/ui/initials.rs
  function initials(user, name) {
    let tone = 0x811c9dc5;
    for (const letter of user) tone = Math.imul(tone ^ letter.charCodeAt(), 0x01000193);
    const first = (text) => {
      if (!Intl.Segmenter) return [...text][0];
      return new Intl.Segmenter().segment(text).containing(0).segment;
    };
    const words = name.split(/\s+/).flatMap((word) => {
      const at = word.search(/[\p{Alphabetic}\p{N}]/u);
      return at < 0 ? [] : first(word.slice(at));
    });
    const [start, end = ""] = [words[0], words.slice(1).at(-1)];
    const joins = /^[\u0600-\u08ff\u1800-\u18af\ua840-\ua87f\ufb50-\ufeff\u{10d00}-\u{10d3f}\u{1e900}-\u{1e95f}]/u;
    const apart = end && joins.test(start) ? "\u200c" : "";
    const text = start ? start + apart + end : first(name.trim() || "?");
    return make("span", { class: `initials tone-${(tone >>> 0) % 12}`, "aria-hidden": true }, [text]);
  }

  if (!marker || isEnding) return;
  if (opensList && list === null) ask();
  else if (isKnown) {
    try {
      draw();
    } catch {
      // The app draws it.
    }
  }
})();
