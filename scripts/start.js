// Loads the program and starts it, and the dashboard's panel when that is opened. Says so when the program
// cannot start: without WebAssembly, or where a file of it does not come.
(() => {
  "use strict";
  const RELOADED = "miniature:v1:reloaded";
  // A file of which nothing has come by then is given up, and asked for once more.
  const ANSWERS_WITHIN_MS = 10000;

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

  let script;
  let coming;
  let bring;
  let panel;
  let tries = 0;

  const ask = (url, cache) => {
    const asking = new AbortController();
    const limit = setTimeout(() => asking.abort(), ANSWERS_WITHIN_MS);
    return fetch(url, { cache, signal: asking.signal }).finally(() => clearTimeout(limit));
  };
  const bringFile = (url) => ask(url).catch(() => ask(url));

  // WebKit keeps what it could not load, over a reload, too.
  const again = () =>
    ask(script, "reload")
      .catch(() => {})
      .then(() => location.reload());

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
    document.body.replaceChildren(main);
  };

  const fail = () => {
    // After a deployment a kept page asks for files that are gone: a fresh one knows the new names.
    if (navigator.onLine && !remembers()) {
      remember(true);
      again();
      return;
    }
    say("Miniature could not be loaded.", "Try again");
  };

  // Ends after the next frame.
  const frame = () =>
    new Promise((end) => {
      requestAnimationFrame(() => setTimeout(end));
      setTimeout(end, document.hidden ? 0 : 200);
    });

  // A page that boot.js has drawn is to be on screen first: loading would hold up that frame, and the
  // program takes the main thread for the length of several.
  const load = async (wasm) => {
    const { miniaturePainted: painted } = window;
    await painted;
    const parts = Promise.all([bring(script), WebAssembly.compileStreaming(bringFile(wasm))]);
    // Heard of by the caller.
    parts.catch(() => {});
    for (let frames = 0; painted && frames < 3; frames++) await frame();
    return parts;
  };

  // The page's own scripts (Trunk.toml) call these, the second once body and stylesheet are there. What brings
  // a script is written there: the minifier gives up at it. (It also calls a static method that is named twice
  // without its object, so Promise.all is named once.)
  window.miniatureLoad = (js, wasm, bringScript) => {
    script = js;
    bring = bringScript;
    if (typeof WebAssembly !== "object") return;
    coming = load(wasm);
    // Heard of below.
    coming.catch(() => {});
  };
  // For the later half (scripts/later.js).
  window.miniatureFile = bringFile;
  // The dashboard's panel (src/lab.rs). A browser may keep what it could not import, by its address.
  const bringPanel = async () => {
    const tooLate = new Promise((_, fail) => setTimeout(fail, ANSWERS_WITHIN_MS));
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet" });
    const styled = new Promise((onload, onerror) => Object.assign(sheet, { onload, onerror }));
    sheet.href = "/miniature-lab.css";
    document.head.append(sheet);
    const wasm = bringFile("/miniature-lab_bg.wasm");
    const script = bring(`/miniature-lab.js${tries++ ? `?${tries}` : ""}`);
    // Heard of below.
    [wasm, script].map((file) => file.catch(() => {}));
    // What the panel calls. It comes then, too, where it does not come now (scripts/later.js).
    window.miniatureMonitor?.bring().catch(() => {});
    const program = await Promise.race([styled.then(() => script), tooLate]);
    await program.default({ module_or_path: await wasm });
    return program;
  };
  window.miniatureLab = async (close) => {
    panel ??= bringPanel();
    try {
      return (await panel).open(close);
    } catch (error) {
      panel = undefined;
      throw error;
    }
  };
  window.miniatureStart = async () => {
    if (!coming) {
      say("This browser has no WebAssembly, which Miniature needs.");
      return;
    }
    try {
      const [program, module] = await coming;
      await program.default({ module_or_path: module });
      remember(false);
    } catch {
      fail();
    }
  };
})();
