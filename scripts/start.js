// Says so when the app cannot start: without WebAssembly, or where a file of it does not come.
(() => {
  "use strict";
  const RELOADED = "miniature:v1:reloaded";

  // Where storage is blocked, the page never loads itself again.
  const remembers = () => {
    try {
      return sessionStorage.getItem(RELOADED) !== null;
    } catch {
      return true;
    }
  };
  const remember = (reloaded) => {
    try {
      if (reloaded) sessionStorage.setItem(RELOADED, "");
      else sessionStorage.removeItem(RELOADED);
    } catch {
      // Blocked.
    }
  };

  // WebKit keeps what it could not load, over a reload, too.
  const again = () => {
    const files = [...document.querySelectorAll("link[rel=modulepreload]")];
    const fresh = files.map(({ href }) => fetch(href, { cache: "reload" }));
    Promise.allSettled(fresh).then(() => location.reload());
  };

  const say = (text, action) => {
    const main = document.createElement("main");
    main.className = "notice";
    main.dataset.testid = "start-trouble";
    main.append(Object.assign(document.createElement("p"), { role: "alert", textContent: text }));
    if (action) {
      const button = Object.assign(document.createElement("button"), { textContent: action });
      button.className = "button";
      button.onclick = again;
      main.append(button);
    }
    const show = () => document.body.replaceChildren(main);
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
    else show();
  };

  let isOver = false;
  const fail = () => {
    if (isOver) return;
    isOver = true;
    // After a deployment a kept page asks for files that are gone: a fresh one knows the new names.
    if (navigator.onLine && !remembers()) {
      remember(true);
      again();
      return;
    }
    say("Miniature could not be loaded.", "Try again");
  };

  // The loader (Trunk.toml) calls these.
  window.miniatureFailed = fail;
  window.miniatureStarted = () => {
    isOver = true;
    remember(false);
  };
  if (typeof WebAssembly !== "object") {
    isOver = true;
    say("This browser has no WebAssembly, which Miniature needs.");
  }
  // A script that does not come says so at its element, one that is cut short at the window.
  addEventListener(
    "error",
    ({ target, filename }) => {
      if (target instanceof HTMLScriptElement || filename?.startsWith(location.origin)) fail();
    },
    true,
  );
})();
