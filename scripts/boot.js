// What the page does before WebAssembly. On a cold visit it asks for what the first frame needs; the app
// takes over the promises (src/browser/origin/boot.rs). On a warm one it draws the page from LocalStorage,
// if all of it is at hand, and the program starts once that is painted. The app takes its place in the
// frame in which its own pictures are painted, or after 150 ms (src/browser/first_screen.rs). A journey
// compares the two.
(() => {
  "use strict";

  const icon = (path) =>
    `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${path}"></path></svg>`;
  const place = (size) =>
    `<span class="picture"><img alt="" width="${size}" height="${size}" decoding="sync" draggable="false"></span>`;
  const FRIENDS = `<h1>Friends</h1><input class="field friend-filter" type="search" data-testid="friend-filter" \
placeholder="Find a friend" aria-label="Find a friend by name" autocomplete="off" autocorrect="off" \
spellcheck="false"><ul class="friend-list" data-testid="friend-list"></ul>`;
  const ROW = `<li><a class="friend" data-testid="friend" data-noscroll="true">${place(48)}\
<span class="friend-text"><span class="friend-name"><bdi></bdi></span>\
<span class="friend-headline"><bdi></bdi></span></span></a></li>`;
  const MODAL = `<dialog class="profile-modal" data-testid="profile-modal" aria-labelledby="profile-name" \
tabindex="-1"><div class="profile-sheet"><button class="modal-close" type="button" aria-label="Close">\
${icon("M3.5 3.5l9 9M12.5 3.5l-9 9")}</button><div class="profile-card">${place(192)}\
<h2 class="profile-name" id="profile-name"><bdi></bdi></h2><p class="profile-headline"><bdi></bdi></p>\
<p class="profile-friends"></p></div></div></dialog>`;
  const FEED = `<h1>Feed</h1><form class="post-form"><textarea class="field" data-testid="post-text" \
aria-label="What is new?" placeholder="What is new?" rows="3"></textarea>\
<p class="post-left" role="status"></p>\
<button class="button" type="submit" data-testid="post-submit" disabled>Post</button></form>\
<div class="new-posts" role="status"></div><ol class="feed" data-testid="feed"></ol><div class="feed-end"></div>`;
  const POST = `<li class="post" data-testid="post">${place(48)}<div class="post-body"><p class="post-head">\
<a class="post-author"><bdi></bdi></a><time class="post-time"></time></p>\
<p class="post-text" dir="auto"></p></div></li>`;

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

  const filled = new Set();
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
    if (!isFeed && !["/", "/friends"].includes(pathname) && !profile) return;
    const drawn = page(isFeed);
    if (isFeed) fillFeed(drawn);
    else fillFriends(drawn);
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
    const dialog = drawn.querySelector("dialog");
    dialog?.showModal();
    // Not its first button.
    dialog?.focus();
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

  // What has been done here is carried out there, on the element of the same name, class and address.
  function handOver(drawn) {
    const root = document.createElement("div");
    const name = ({ localName, classList: [first], attributes: { href } }) =>
      localName + (first ? `.${first}` : "") + (href ? `[href="${href.value}"]` : "");
    const there = (element) => {
      if (!drawn.contains(element)) return null;
      return root.querySelector(`${name(element.parentElement)} > ${name(element)}`);
    };
    let clicked = null;
    drawn.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      clicked = event.target.closest("a, button");
      if (!clicked?.matches(".sign-out")) return;
      // It holds even if the program never comes: the next page does it.
      localStorage.setItem("miniature:v1:sign-out-owed", marker);
      drawn.remove();
    });
    const dialog = drawn.querySelector("dialog");
    // Before anybody has clicked, Escape closes it at once.
    for (const type of ["cancel", "close"]) {
      dialog?.addEventListener(type, (event) => {
        event.preventDefault();
        clicked = dialog.querySelector("button");
      });
    }
    // Another tab may have signed out while this one slept.
    const check = () => cookie("miniature_account") === marker || drawn.remove();
    addEventListener("pageshow", check);
    document.addEventListener("visibilitychange", check);
    const giveWay = () => {
      if (root.isConnected) return;
      const typed = drawn.querySelector("input, textarea");
      const [focus, click, field] = [document.activeElement, clicked, typed].map(there);
      const isHere = drawn.isConnected && (pathname === "/" || pathname === location.pathname);
      if (drawn.isConnected) drawn.replaceWith(root);
      else document.body.prepend(root);
      if (!isHere) return;
      const modal = dialog && root.querySelector("dialog");
      if (modal && !modal.open) modal.showModal();
      if (field && typed.value) {
        field.value = typed.value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      focus?.focus({ preventScroll: true });
      click?.click();
    };
    return { root, giveWay };
  }

  // Nothing stored goes in here: that is filled in as text.
  function html(text) {
    const template = document.createElement("template");
    template.innerHTML = text;
    return template.content.firstChild;
  }

  // As src/app/ and src/ui/ draw it.
  function page(isFeed) {
    const here = (is) => (is ? ' aria-current="page"' : "");
    return html(`<div aria-busy="true"><header class="shell-header"><div class="shell-bar">\
<a class="wordmark" href="/friends">Miniature</a><nav class="shell-nav" aria-label="Pages">\
<a href="/friends"${here(!isFeed)}>Friends</a><a href="/feed"${here(isFeed)}>Feed</a><a href="/me">Me</a></nav>\
<button class="sign-out" type="button" data-testid="sign-out">Sign out</button></div></header>\
<main class="page" tabindex="-1">${isFeed ? FEED : FRIENDS + (profile ? MODAL : "")}</main>\
<div class="offline" role="status"></div><button class="dashboard-toggle" type="button" \
data-testid="cache-dashboard-toggle" title="Cache dashboard (Alt+Shift+C)" aria-label="Cache dashboard" \
aria-expanded="false">${icon("M2 13.5h12M4 11V7.5M8 11V3M12 11V5.5")}</button></div>`);
  }

  function fillFriends(drawn) {
    const { friends, next } = parsed(list).body.Friends;
    if (!friends.length) throw friends;
    const model = html(ROW);
    model.setAttribute("aria-setsize", next ? -1 : friends.length);
    const ul = drawn.querySelector("ul");
    ul.style.setProperty("--rows", friends.length);
    friends.forEach(({ user_id: user, name, headline }, at) => {
      const row = ul.appendChild(model.cloneNode(true));
      row.setAttribute("aria-posinset", at + 1);
      row.style.setProperty("--at", at);
      row.firstChild.setAttribute("href", `/friends/${user}`);
      fill(row, 48, user, name, headline);
    });
    if (!profile) return;
    const { name, headline } = friends.find(({ user_id: user }) => user === profile);
    fill(drawn.querySelector("dialog"), 192, profile, name, headline);
  }

  function fillFeed(drawn) {
    const { posts } = parsed(stored(`${owner}:page:feed`)).body.Feed;
    const model = html(POST);
    posts.forEach(({ author: { user_id: user, name }, text, created_at: at }) => {
      const row = drawn.querySelector("ol").appendChild(model.cloneNode(true));
      const time = row.querySelector("time");
      fill(row, 48, user, name);
      row.querySelector("a").setAttribute("href", `/friends/${user}`);
      time.setAttribute("datetime", new Date(at * 1000).toISOString());
      time.textContent = ago(at);
      row.querySelector(".post-text").textContent = text;
    });
  }

  // src/app/feed/ago.rs
  function ago(at) {
    const age = Math.floor(Date.now() / 1000) - at;
    const steps = [[7 * 86400], [86400, "d"], [3600, "h"], [60, "min"], [-Infinity]];
    const [seconds, unit] = steps.find(([seconds]) => age >= seconds);
    if (unit) return `${Math.floor(age / seconds)} ${unit}`;
    if (seconds < 0) return "now";
    return new Date(at * 1000).toLocaleDateString();
  }

  function fill(row, size, user, ...lines) {
    if (!/^[\w-]{1,64}$/.test(user) || lines.some((line) => typeof line !== "string")) throw user;
    row.querySelectorAll("bdi").forEach((line, nth) => {
      line.textContent = lines[nth];
    });
    const picture = row.querySelector(".picture");
    picture.style.setProperty("--picture-size", `${size}px`);
    const [, revision, image] = /^(\d+) ([0-9a-f]{32}|-) /.exec(stored(`${owner}:record:${user}`));
    Object.assign(picture.dataset, { userId: user, revision, state: "fallback" });
    if (image === "-") return picture.replaceChildren(initials(user, lines[0]));
    const [, held, src] = /^([0-9a-f]{32}) \d+ (data:image\/\S+)$/.exec(stored(`${owner}:preview:${user}`));
    if (held !== image) throw held;
    // The app has it in memory by the second time.
    Object.assign(picture.dataset, { state: "ready", source: filled.has(user) ? "memory" : "local_storage" });
    filled.add(user);
    picture.firstChild.src = src;
  }

  // src/ui/initials.rs
  function initials(user, name) {
    let tone = 0x811c9dc5;
    for (const letter of user) tone = Math.imul(tone ^ letter.charCodeAt(), 0x01000193);
    const first = (text) => new Intl.Segmenter().segment(text).containing(0).segment;
    const words = name.split(/\s+/).flatMap((word) => {
      const at = word.search(/[\p{Alphabetic}\p{N}]/u);
      return at < 0 ? [] : first(word.slice(at));
    });
    const [start, end = ""] = [words[0], words.slice(1).at(-1)];
    const joins = /^[\u0600-\u08ff\u1800-\u18af\ua840-\ua87f\ufb50-\ufeff\u{10d00}-\u{10d3f}\u{1e900}-\u{1e95f}]/u;
    const apart = end && joins.test(start) ? String.fromCharCode(0x200c) : "";
    const text = start ? start + apart + end : first(name.trim() || "?");
    const span = html(`<span class="initials tone-${(tone >>> 0) % 12}" aria-hidden="true"></span>`);
    span.textContent = text;
    return span;
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
