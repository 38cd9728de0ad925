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

  const path = location.pathname;
  const opensList = path === "/" || path === "/friends" || path.startsWith("/friends/");
  const user = account();
  const isWarm = Boolean(user) && stored(`miniature:v1:${user}:page:friends`) !== null;
  if (!opensList || isWarm) return;

  const pictures = pictureSize();
  const friends = ask(`/api/friends?limit=50&pictures=${pictures}`);
  const begun = { friends, session: ask("/api/session"), pictures };
  window.__miniature = begun;
  // A refusal is no answer to keep: who signs in later asks anew.
  const drop = () => delete begun.friends;
  friends.then((answer) => answer.ok || drop(), drop);
})();
