// Times how long pictures take to be painted. Runs after the sampler and before the app.
// A picture is painted two animation frames after it is complete, decoded and visible.
(() => {
  "use strict";
  /** Width of a sharp rendition in the modal, in pixels. */
  const SHARP = 256;

  /** The latest decode of each `<img>`. */
  let decodes = new WeakMap();
  const isDecoded = (image) => {
    if (!image.complete || image.naturalWidth === 0) return false;
    const source = image.currentSrc;
    const last = decodes.get(image);
    if (last?.source === source) return last.done;
    const decode = { source, done: false };
    decodes.set(image, decode);
    // Rejects if the picture is replaced meanwhile. The next look tries again.
    image.decode().then(() => { decode.done = true; look(); }, () => decodes.delete(image));
    return false;
  };
  const isVisible = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const images = (within, user = "") =>
    [...within.querySelectorAll(`.picture[data-state=ready]${user} img`)];

  const listIsThere = () => {
    // Looking takes time, too: at every row only once they may all be there.
    if (images(document).length < window.__seen.want) return false;
    const rows = [...document.querySelectorAll("[data-testid=friend-list] [data-testid=friend]")];
    // Visits every row, so that all decodes start at once.
    const painted = rows.map((row) => images(row).filter(isDecoded)).filter((row) => row.length > 0);
    return painted.length >= window.__seen.want && painted.every((row) => row.some(isVisible));
  };

  const openModal = () => {
    const modal = document.querySelector("dialog[data-testid=profile-modal]");
    return modal && modal.open && isVisible(modal) ? modal : null;
  };
  const modalShows = (user, width) => {
    const modal = openModal();
    return modal !== null && images(modal, user).some((image) =>
      image.naturalWidth >= width && isDecoded(image) && isVisible(image));
  };
  let modalGaps = 0;
  const judgeModal = () => {
    const modal = openModal();
    const isGap = modal && !images(modal).some((image) => image.naturalWidth > 0 && isVisible(image));
    if (isGap) modalGaps += 1;
  };

  /** Running measurements: `{ from, isThere, end }`. */
  const runs = new Set();
  const look = () => {
    for (const run of runs) {
      if (!run.isThere()) continue;
      runs.delete(run);
      requestAnimationFrame(() => requestAnimationFrame(() => run.end(performance.now() - run.from)));
    }
  };
  const frame = () => {
    judgeModal();
    look();
    if (runs.size > 0) requestAnimationFrame(frame);
  };
  /** Resolves to the milliseconds from `from` until `isThere` holds and two frames have passed. */
  const time = (from, isThere) => new Promise((end) => {
    if (runs.size === 0) requestAnimationFrame(frame);
    runs.add({ from, isThere, end });
  });
  // A look per frame alone would notice each change one frame late.
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  document.addEventListener("load", look, true);

  /** Clicks without a pointer, so without a hover. Returns the time of the click. */
  const click = (element) => {
    decodes = new WeakMap();
    modalGaps = 0;
    window.__observe();
    const from = performance.now();
    element.click();
    return from;
  };

  window.__stopwatch = {
    /** Milliseconds from the start of navigation until the list is painted. */
    loaded: time(0, listIsThere),
    /** Milliseconds from a click on the link until the list is painted. */
    list: (link) => time(click(document.querySelector(link)), listIsThere),
    /** Milliseconds from a click on a row until the modal shows its picture, at any size and sharp. */
    modal: async (index) => {
      const row = document.querySelectorAll("[data-testid=friend-list] [data-testid=friend]")[index];
      const user = `[data-user-id="${row.querySelector(".picture").dataset.userId}"]`;
      const from = click(row.closest("a") ?? row.querySelector("a"));
      const [any, sharp] = await Promise.all([
        time(from, () => modalShows(user, 1)), time(from, () => modalShows(user, SHARP)),
      ]);
      return { any, sharp, gap_frames: modalGaps };
    },
  };
})();
