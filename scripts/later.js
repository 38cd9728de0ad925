// The end of the program's JavaScript, where it comes in parts (`cargo xtask split`).
const part = (name, isLoaded, before) => {
  const url = new URL(name, import.meta.url);
  const imports = () => ({ ...__wbg_get_imports(), first: wasm });
  const isHere = () => {
    wasm[isLoaded].value = 1;
    self.isHere = true;
  };
  let file;
  let coming;
  const self = {
    isHere: false,
    ask() {
      file = miniatureFile(url);
    },
    bring() {
      coming ??= Promise.resolve(before?.bring())
        .then(() => file ?? miniatureFile(url))
        .then((file) => __wbg_load(file, imports()))
        .then(isHere)
        .catch((error) => {
          file = coming = undefined;
          throw error;
        });
      return coming;
    },
    // Something of it is called first. The page stands still until it is there.
    bringNow() {
      if (before && !before.isHere) before.bringNow();
      if (!before) console.error("A part of the program was called before it had come.");
      const request = new XMLHttpRequest();
      request.open("GET", url, false);
      request.overrideMimeType("text/plain; charset=x-user-defined");
      request.send();
      if (request.status !== 200) throw new Error(`${url}: ${request.status}`);
      const bytes = Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff);
      new WebAssembly.Instance(new WebAssembly.Module(bytes), imports());
      isHere();
    },
  };
  return self;
};

// In good time: the app waits for this before it draws anything of it.
const later = (globalThis.miniatureLater = part("./LATER_FILE", "later_is_loaded"));
// The dashboard waits for this; the browser's console does not. It stands on the one before.
const monitor = (globalThis.miniatureMonitor = part("./MONITOR_FILE", "monitor_is_loaded", later));

// A tab that records needs all of it from the first call on (src/store/record.rs).
const records = () => {
  try {
    return sessionStorage.getItem("miniature:v1:record") !== null;
  } catch {
    return false;
  }
};
// What the first frame of a page shows must be here: of these pages, both halves. The page for signing
// in, too, which is what a browser without an account shows.
const isOfLater =
  /^\/(feed|me|friends\/.+)$/.test(location.pathname) || !document.cookie.includes("miniature_account=");
const expected = records() ? [later, monitor] : isOfLater ? [later] : [];
expected.forEach((part) => part.ask());

// Before the program starts. What does not come now is asked for again by the page that needs it.
const laterInTime = () => Promise.all(expected.map((part) => part.bring())).catch(() => {});
