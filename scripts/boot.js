// What the page does before WebAssembly. On a cold visit it asks for what the first frame needs; the app
// takes over the promises (src/browser/origin/boot.rs). On a warm one it draws the page from LocalStorage,
// if all of it is at hand, and the program is loaded once that is painted (start.js). The app takes its
// place in the frame in which its own pictures are painted, or after 150 ms (src/browser/first_screen.rs).
// A journey compares the two.
(() => {
  "use strict";

  // Storage may be blocked, and what is in it may be anything.
  const stored = (key, read = (text) => text) => {
    try {
      return read(localStorage.getItem(`miniature:v1:${key}`));
    } catch {
      return null;
    }
  };
  const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];

  // Who is signed in, as the server says. Of a session that is to end nothing is asked for, and nothing shown.
  const marker = cookie("miniature_account");
  if (!marker || stored("sign-out-owed") === marker) return;
  // Another tab may sign out while this one sleeps.
  const isSignedIn = () => cookie("miniature_account") === marker;
  const owner = marker.split(".")[0];
  const isKnown = stored("account", JSON.parse)?.user_id === owner;
  const list = isKnown ? stored(`${owner}:page:friends`, JSON.parse) : null;
  const { pathname } = location;
  const isFeed = pathname === "/feed";
  const isList = pathname === "/" || /^\/friends(\/|$)/.test(pathname);
  const profile = pathname.split("/friends/")[1];
  const filled = new Set();

  function ask() {
    // The smallest with at least 0.75 of the device pixels of the list's 48 CSS pixels, or the largest.
    const pictures = [64, 128, 256].find((size) => size >= 36 * devicePixelRatio) ?? 512;
    const begun = { marker, asked_at: performance.now(), pictures, abort: {} };
    const lineage = stored(`${owner}:lineage`);
    const headers = lineage ? { "miniature-lineage": lineage } : {};
    const begin = (name, path) => {
      const abort = new AbortController();
      const { signal } = abort;
      begun.abort[name] = abort;
      begun[name] = fetch(path, { headers, signal, cache: "no-store", redirect: "error" });
      // Nobody need hear of a failure: the app asks anew.
      begun[name].catch(() => delete begun[name]);
    };
    window.__miniature = begun;
    begin("session", "/api/session");
    // Whose list IndexedDB holds, as the app says: there it may be even if LocalStorage was emptied, and
    // asking the database itself would take too long.
    if (cookie("miniature_list") !== owner) begin("friends", `/api/friends?limit=50&pictures=${pictures}`);
  }

  // Throws where something is missing or is not what it should be.
  function draw() {
    const drawn = document.createElement("div");
    drawn.ariaBusy = true;
    if (isFeed) drawFeed(drawn);
    else drawFriends(drawn);
    const giveWay = handOver(drawn);
    window.miniaturePainted = show(drawn).catch(giveWay);
  }

  // As src/app/ and src/ui/ draw it. Nothing stored goes into markup: that is filled in as text.
  const icon = (path) =>
    `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${path}"></path></svg>`;
  const place = (size) =>
    `<span class="picture"><img alt="" width="${size}" height="${size}" decoding="sync" draggable="false"></span>`;
  const here = (is) => (is ? ' aria-current="page"' : "");
  const page = (content) => `<header class="shell-header"><div class="shell-bar">\
<a class="wordmark" href="/friends">Miniature</a><nav class="shell-nav" aria-label="Pages">\
<a href="/friends"${here(!isFeed)}>Friends</a><a href="/feed"${here(isFeed)}>Feed</a><a href="/me">Me</a></nav>\
<button class="sign-out" type="button" data-testid="sign-out">Sign out</button></div></header>\
<main class="page" tabindex="-1">${content}</main>\
<div class="banners" role="status"></div><button class="dashboard-toggle" type="button" \
data-testid="cache-dashboard-toggle" title="Cache dashboard (Alt+Shift+C)" aria-label="Cache dashboard" \
aria-expanded="false">${icon("M2 13.5h12M4 11V7.5M8 11V3M12 11V5.5")}</button>`;
  const FRIEND = `<li><a class="friend" data-testid="friend" data-noscroll="true">${place(48)}\
<span class="friend-text"><span class="friend-name"><bdi></bdi></span>\
<span class="friend-headline"><bdi></bdi></span></span></a></li>`;
  const MODAL = `<dialog class="profile-modal" data-testid="profile-modal" aria-labelledby="profile-name" \
tabindex="-1"><div class="profile-sheet"><button class="modal-close" type="button" aria-label="Close">\
${icon("M3.5 3.5l9 9M12.5 3.5l-9 9")}</button><div class="profile-card">${place(192)}\
<h2 class="profile-name" id="profile-name"><bdi></bdi></h2><p class="profile-headline"><bdi></bdi></p>\
<p class="profile-friends"></p></div></div></dialog>`;
  const POST = `<li class="post" data-testid="post">${place(48)}<div class="post-body"><p class="post-head">\
<a class="post-author"><bdi></bdi></a><time class="post-time"></time></p>\
<p class="post-text" dir="auto"></p></div></li>`;

  function drawFriends(drawn) {
    const { friends, next } = list.body.Friends;
    const { length } = friends;
    if (!length) throw friends;
    drawn.innerHTML = page(`<h1>Friends</h1><input class="field friend-filter" type="search" \
data-testid="friend-filter" placeholder="Find a friend" aria-label="Find a friend by name" autocomplete="off" \
autocorrect="off" spellcheck="false"><ul class="friend-list" data-testid="friend-list">${FRIEND.repeat(length)}\
</ul>${profile ? MODAL : ""}`);
    drawn.querySelector("ul").style = `--rows: ${length}`;
    drawn.querySelectorAll("li").forEach((row, at) => {
      row.ariaPosInSet = at + 1;
      row.ariaSetSize = next ? -1 : length;
      row.style = `--at: ${at}`;
      fill(row, 48, friends[at]);
    });
    if (profile) fill(drawn.querySelector("dialog"), 192, friends.find((friend) => friend.user_id === profile));
  }

  function drawFeed(drawn) {
    const { posts } = stored(`${owner}:page:feed`, JSON.parse).body.Feed;
    drawn.innerHTML = page(`<h1>Feed</h1><form class="post-form"><textarea class="field" data-testid="post-text" \
aria-label="What is new?" placeholder="What is new?" rows="3"></textarea>\
<p class="post-left" role="status"></p>\
<button class="button" type="submit" data-testid="post-submit" disabled>Post</button></form>\
<div class="new-posts" role="status"></div><ol class="feed" data-testid="feed">${POST.repeat(posts.length)}</ol>\
<div class="feed-end"></div>`);
    drawn.querySelectorAll("li").forEach((row, at) => {
      const { author, text, created_at: seconds } = posts[at];
      const date = new Date(seconds * 1000);
      const time = row.querySelector("time");
      time.dateTime = date.toISOString();
      time.textContent = ago(date);
      row.querySelector(".post-text").textContent = text;
      fill(row, 48, author);
    });
  }

  // src/app/feed/ago.rs
  function ago(date) {
    const minutes = Math.floor((Date.now() - date) / 60000);
    if (minutes < 1) return "now";
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 1440) return `${Math.floor(minutes / 60)} h`;
    if (minutes < 7 * 1440) return `${Math.floor(minutes / 1440)} d`;
    return date.toLocaleDateString();
  }

  function fill(row, size, { user_id: user, name, headline }) {
    row.querySelectorAll("bdi").forEach((line, nth) => {
      const text = [name, headline][nth];
      if (typeof text !== "string") throw text;
      line.textContent = text;
    });
    row.querySelector("a")?.setAttribute("href", `/friends/${user}`);
    const picture = row.querySelector(".picture");
    picture.style = `--picture-size: ${size}px`;
    const [, revision, image] = /^(\d+) (\S+) /.exec(stored(`${owner}:record:${user}`));
    const isBare = image === "-";
    Object.assign(picture.dataset, { userId: user, revision, state: isBare ? "fallback" : "ready" });
    if (isBare) {
      picture.innerHTML = `<span class="initials tone-${tone(user)}" aria-hidden="true"></span>`;
      picture.firstChild.textContent = initials(name);
      return;
    }
    const [, held, src] = /^(\S+) \d+ (data:image\/\S+)$/.exec(stored(`${owner}:preview:${user}`));
    if (held !== image) throw held;
    // The app has it in memory by the second time.
    picture.dataset.source = filled.has(user) ? "memory" : "local_storage";
    filled.add(user);
    picture.firstChild.src = src;
  }

  // src/ui/initials.rs
  function tone(user) {
    let hash = 0x811c9dc5;
    for (const letter of user) hash = Math.imul(hash ^ letter.charCodeAt(), 0x01000193);
    return (hash >>> 0) % 12;
  }

  function initials(name) {
    // Each from its first letter or digit on.
    const words = name.match(/[\p{Alphabetic}\p{N}]\S*/gu) ?? [name.trim() || "?"];
    // The first and the last.
    words.splice(1, words.length - 2);
    // No letter below 768 is a mark.
    const first = (word) =>
      [0, 1].some((at) => word.charCodeAt(at) > 767)
        ? new Intl.Segmenter().segment(word).containing(0).segment
        : word[0];
    const letters = words.map(first);
    // From Arabic on there are scripts that join letters.
    return letters.join(words[0].charCodeAt() >= 0x600 ? String.fromCharCode(0x200c) : "");
  }

  // What has been done here is carried out there, on the element of the same name, class and address.
  function handOver(drawn) {
    const root = document.createElement("div");
    const there = (element) =>
      element &&
      [...root.querySelectorAll(element.localName)].find(
        ({ className, href }) => className === element.className && href === element.href,
      );
    let clicked = null;
    drawn.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      clicked = event.target.closest("a, button") ?? clicked;
      if (clicked?.className !== "sign-out") return;
      // It holds even if the program never comes: the next page does it.
      localStorage.setItem("miniature:v1:sign-out-owed", marker);
      drawn.remove();
    });
    const dialog = drawn.querySelector("dialog");
    dialog?.addEventListener("close", () => {
      clicked = dialog.querySelector("button");
    });
    const check = () => isSignedIn() || drawn.remove();
    addEventListener("pageshow", check);
    document.addEventListener("visibilitychange", check);
    const giveWay = () => {
      if (root.isConnected) return;
      const typed = drawn.querySelector("input, textarea");
      const [focus, click, field] = [document.activeElement, clicked, typed].map(there);
      const isHere = drawn.isConnected && (pathname === "/" || pathname === location.pathname);
      document.body.prepend(root);
      drawn.remove();
      if (!isHere) return;
      if (dialog) root.querySelector("dialog")?.showModal();
      if (field && typed.value) {
        field.value = typed.value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      focus?.focus({ preventScroll: true });
      click?.click();
    };
    window.miniatureFirstScreen = { root, giveWay };
    return giveWay;
  }

  // Ends once it is painted, its pictures too. Throws if a picture does not come at once.
  async function show(drawn) {
    const images = [...drawn.querySelectorAll("img")];
    const soon = (ms) => new Promise((end) => setTimeout(end, ms));
    const frame = () =>
      new Promise((end) => {
        requestAnimationFrame(end);
        setTimeout(end, document.hidden ? 0 : 200);
      });
    // The first change: the body is parsed.
    await new Promise((end) => document.addEventListener("readystatechange", end));
    // No row is seen without its picture, not for a frame. `load` comes later than `complete`.
    const until = performance.now() + 150;
    while (!images.every(({ complete, naturalWidth }) => complete && naturalWidth)) {
      if (performance.now() > until) throw images;
      await frame();
    }
    if (!isSignedIn()) throw marker;
    document.body.prepend(drawn);
    const dialog = drawn.querySelector("dialog");
    dialog?.showModal();
    // Not its first button.
    dialog?.focus();
    await Promise.race([Promise.allSettled(images.map((image) => image.decode())), soon(300)]);
  }

  if (isList && !list) ask();
  else if (isKnown && (isList || isFeed)) {
    try {
      draw();
    } catch {
      // The app draws it.
    }
  }
})();
