// On a cold visit, asks for what the first frame needs while WebAssembly is on its way.
// The app takes over the promises (src/browser/origin/boot.rs). On a warm visit the list is
// stored, and nothing is fetched.
(() => {
  "use strict";

  // The smallest with at least 0.75 of the device pixels of the list's 48 CSS pixels.
  const pictureSize = () => {
    const wanted = 48 * 0.75 * (window.devicePixelRatio || 1);
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

  const cookie = (name) => {
    const pair = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
    return pair ? pair.slice(name.length + 1) : "";
  };

  const path = location.pathname;
  const opensList = path === "/" || path === "/friends" || path.startsWith("/friends/");
  // Who is signed in, as the server says, and whose list IndexedDB holds, as the app says: there it
  // may be even if LocalStorage was emptied, and asking the database itself would take too long.
  const marker = cookie("miniature_account");
  const held = cookie("miniature_list");
  const owner = marker.split(".")[0];
  const isWarm = account() === owner && stored(`miniature:v1:${owner}:page:friends`) !== null;
  // The session is to end: nothing is asked for in it.
  const isEnding = stored("miniature:v1:sign-out-owed") === marker;
  if (!opensList || !marker || isWarm || isEnding) return;

  const pictures = pictureSize();
  const begun = { marker, asked_at: performance.now(), pictures, abort: {} };
  const lineage = stored(`miniature:v1:${owner}:lineage`);
  const headers = lineage ? { "miniature-lineage": lineage } : {};
  const ask = (name, path) => {
    const abort = new AbortController();
    const { signal } = abort;
    const answer = fetch(path, { headers, signal, cache: "no-store", redirect: "error" });
    begun[name] = answer;
    begun.abort[name] = abort;
    // Nobody need hear of a failure: the app asks anew.
    answer.catch(() => delete begun[name]);
  };
  window.__miniature = begun;
  ask("session", "/api/session");
  if (held !== owner) ask("friends", `/api/friends?limit=50&pictures=${pictures}`);
})();
