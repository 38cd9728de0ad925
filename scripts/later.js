// The end of the program's JavaScript, where it comes in two halves (`cargo xtask split`).
const laterHalf = new URL("./LATER_FILE", import.meta.url);
// What the first frame of a page shows must be here: of these pages, both halves. The page for signing
// in, too, which is what a browser without an account shows.
const isOfLater =
  /^\/(feed|me|friends\/.+)$/.test(location.pathname) || !document.cookie.includes("miniature_account=");
let laterFile = isOfLater ? miniatureFile(laterHalf) : undefined;
let laterComing;

const laterImports = () => ({ ...__wbg_get_imports(), first: wasm });
const laterIsHere = () => {
  wasm.later_is_loaded.value = 1;
  miniatureLater.isHere = true;
};

// In good time: the app waits for this before it draws anything of the later half.
globalThis.miniatureLater = {
  isHere: false,
  bring() {
    laterComing ??= (laterFile ?? miniatureFile(laterHalf))
      .then((file) => __wbg_load(file, laterImports()))
      .then(laterIsHere)
      .catch((error) => {
        laterFile = laterComing = undefined;
        throw error;
      });
    return laterComing;
  },
};

// Before the program starts. What does not come now is asked for again by the page that needs it.
const laterInTime = () => laterFile && miniatureLater.bring().catch(() => {});

// Too late: something of the later half is called first. The page stands still until it is there.
function loadLaterNow() {
  console.error("The later half of the program was called before it had come.");
  const request = new XMLHttpRequest();
  request.open("GET", laterHalf, false);
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) throw new Error(`${laterHalf}: ${request.status}`);
  const bytes = Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff);
  new WebAssembly.Instance(new WebAssembly.Module(bytes), laterImports());
  laterIsHere();
}
