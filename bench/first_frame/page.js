// One way of showing 50 pictures, measured from the start of this script. `?way=` names it; the
// driver reads `window.result`.
const start = performance.now();
const COUNT = 50;
const list = document.getElementById("list");

const painted = () =>
  new Promise((resolve) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(0);
    });
  });

const insert = (elements) => list.replaceChildren(...elements);

const images = (urls, { sync = true } = {}) =>
  urls.map((url) => {
    const image = new Image(48, 48);
    if (sync) image.decoding = "sync";
    image.src = url;
    return image;
  });

const dataUrls = () => Array.from({ length: COUNT }, (_, i) => localStorage.getItem(`picture:${i}`));

const request = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const open = () => {
  const opening = indexedDB.open("first_frame", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("pictures");
  return request(opening);
};

const stored = async () => {
  const database = await open();
  return request(database.transaction("pictures").objectStore("pictures").getAll());
};

const blobs = async () => (await stored()).map((bytes) => new Blob([bytes], { type: "image/webp" }));

const draw = (bitmap) => {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
  return canvas;
};

const shown = async (elements) => {
  insert(elements);
  await Promise.all(elements.map((image) => image.decode()));
};

// The three ways that are compared.
const ways = {
  data_url: () => shown(images(dataUrls())),
  bitmap: async () => insert((await Promise.all((await blobs()).map((b) => createImageBitmap(b)))).map(draw)),
  object_url: async () => shown(images((await blobs()).map((blob) => URL.createObjectURL(blob)))),
};

const complete = (elements) => elements.filter((i) => i.complete && i.naturalWidth > 0).length;

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

// How many of 50 are complete at once, and in the frames that follow their insertion.
const frames = async (elements) => {
  const inserted = performance.now();
  insert(elements);
  const counts = [complete(elements)];
  for (let i = 0; i < 3; i++) {
    await frame();
    counts.push(complete(elements));
  }
  return { counts, ms: performance.now() - inserted };
};

// Decoded before they are unhidden: how long that takes, and whether the next frame has them.
const unhidden = async (elements) => {
  list.hidden = true;
  const inserted = performance.now();
  insert(elements);
  await Promise.all(elements.map((image) => image.decode()));
  const ms = performance.now() - inserted;
  list.hidden = false;
  await frame();
  return { ms, counts: [complete(elements)] };
};

const objectUrls = async () => (await blobs()).map((blob) => URL.createObjectURL(blob));

// URLs that the browser's own cache of images cannot know, as after a restart.
const unseenUrls = () => dataUrls().map((url) => url.replace(";base64", `;n=${Math.random()};base64`));

const probes = {
  frames_data_sync: async () => frames(images(dataUrls())),
  frames_data_new: async () => frames(images(unseenUrls())),
  frames_data_auto: async () => frames(images(dataUrls(), { sync: false })),
  frames_blob_sync: async () => frames(images(await objectUrls())),
  // As an app does that is started by then: in a later task than the page's first.
  frames_data_later: async () => {
    await painted();
    await painted();
    return frames(images(dataUrls()));
  },
  frames_blob_later: async () => {
    const urls = await objectUrls();
    await painted();
    await painted();
    return frames(images(urls));
  },
  decode_data: async () => unhidden(images(dataUrls())),
  decode_data_new: async () => unhidden(images(unseenUrls())),
  decode_blob: async () => unhidden(images(await objectUrls())),
  decode_data_detached: async () => {
    const begun = performance.now();
    const elements = images(dataUrls());
    await Promise.all(elements.map((image) => image.decode()));
    const ms = performance.now() - begun;
    return { ms, ...(await frames(elements)), decode_ms: ms };
  },
};

// 50 pictures that compress like portraits do: soft shapes and a little grain.
const portrait = async (i) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  const context = canvas.getContext("2d");
  const hue = (i * 137) % 360;
  const circle = (x, y, r, colour) => {
    const gradient = context.createRadialGradient(x, y, 0, x, y, r);
    gradient.addColorStop(0, colour);
    gradient.addColorStop(1, `hsl(${hue} 40% 30% / 0.1)`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, 64, 64);
  };
  circle(32, 64, 40, `hsl(${hue + 60} 60% 45%)`);
  circle(32, 26, 20, `hsl(${20 + (i % 9) * 3} 50% ${40 + (i % 5) * 8}%)`);
  for (let n = 0; n < 500; n++) {
    context.fillStyle = `hsl(${hue} 40% ${(n * 31 + i * 7) % 100}% / 0.35)`;
    context.fillRect((n * 17 + i) % 64, (n * 29 + i * 3) % 64, 1.5, 1.5);
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.85));
  return new Promise((resolve) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result) });
    reader.readAsDataURL(blob);
  });
};

const make = async () => {
  const urls = [];
  for (let i = 0; i < COUNT; i++) urls.push(await portrait(i));
  await fetch("/pictures", { method: "POST", body: JSON.stringify(urls) });
};

const store = async () => {
  const urls = await (await fetch("/pictures")).json();
  urls.forEach((url, i) => localStorage.setItem(`picture:${i}`, url));
  const bytes = await Promise.all(urls.map(async (url) => (await fetch(url)).arrayBuffer()));
  const database = await open();
  const transaction = database.transaction("pictures", "readwrite");
  bytes.forEach((buffer, i) => transaction.objectStore("pictures").put(buffer, i));
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  return { bytes: bytes.reduce((sum, buffer) => sum + buffer.byteLength, 0) };
};

const measured = async (way) => {
  await way();
  await painted();
  return { ms: performance.now() - start };
};

const run = async (name) => {
  if (name === "make") return (await make()) ?? {};
  if (name === "store") return store();
  if (name in probes) return probes[name]();
  return measured(ways[name]);
};

run(new URLSearchParams(location.search).get("way")).then(
  (result) => (window.result = result),
  (error) => (window.result = { error: String(error) }),
);
