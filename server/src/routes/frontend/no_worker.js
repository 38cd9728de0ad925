// Served in place of the service worker where there is to be none: it ends the one that is there, and
// removes what that kept.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(end()));

async function end() {
  const names = (await caches.keys()).filter((name) => name.startsWith("miniature-"));
  await Promise.all(names.map((name) => caches.delete(name)));
  await registration.unregister();
}
