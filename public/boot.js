// On a cold visit, asks for what the first frame needs while WebAssembly is on its way.
// The app takes over the promises. On a warm visit the list is stored, and nothing is fetched.
(() => {
  "use strict";

  // The smallest that is sharp at the list's 48 CSS pixels, as in src/store/friends.rs.
  const pictureSize = () => {
    const wanted = Math.ceil(48 * (window.devicePixelRatio || 1));
    return [64, 128, 256, 512].find((size) => size >= wanted) ?? 512;
  };

  // Storage may be blocked, and what is in it may be anything.
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  const account = () => {
    try {
      return JSON.parse(stored("miniature:v1:account")).user_id;
    } catch {
      return null;
    }
  };

  // Until the app takes the promise over, nobody need hear of a failure.
  const ask = (path) => {
    const answer = fetch(path);
    answer.catch(() => {});
    return answer;
  };

  const cookie = (name) => {
    const pair = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
    return pair ? pair.slice(name.length + 1) : "";
  };

  const path = location.pathname;
  const opensList = path === "/" || path === "/friends" || path.startsWith("/friends/");
  // Who is signed in, as the server says, and whose list IndexedDB holds, as the app says: there it
  // may be even if LocalStorage was emptied, and asking the database itself would take too long.
  const signedIn = cookie("miniature_account");
  const held = cookie("miniature_list");
  const user = account();
  const isWarm = Boolean(user) && stored(`miniature:v1:${user}:page:friends`) !== null;
  if (!opensList || !signedIn || isWarm) return;

  const begun = { session: ask("/api/session"), pictures: pictureSize() };
  window.__miniature = begun;
  if (held === signedIn) return;
  begun.friends = ask(`/api/friends?limit=50&pictures=${begun.pictures}`);
  // A refusal is no answer to keep: who asks later asks anew.
  const drop = () => delete begun.friends;
  begun.friends.then((answer) => answer.ok || drop(), drop);
})();
