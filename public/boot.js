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

  const ask = (path) => {
    const answer = fetch(path);
    // Whoever takes the promise over hears of a failure; until then it is not unhandled.
    answer.catch(() => {});
    return answer;
  };

  const path = location.pathname;
  const opensList = path === "/" || path === "/friends" || path.startsWith("/friends/");
  const user = account();
  const isWarm = Boolean(user) && stored(`miniature:v1:${user}:page:friends`) !== null;
  if (!opensList || isWarm) return;

  const pictures = pictureSize();
  window.__miniature = {
    friends: ask(`/api/friends?limit=50&pictures=${pictures}`),
    session: ask("/api/session"),
    pictures,
  };
})();
