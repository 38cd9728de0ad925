// Stands after the modules of Workbox. Each choice is the one that its documentation recommends; for the
// list it has two, StaleWhileRevalidate and, where it changes often, NetworkFirst: this is the faster.
"use strict";
const { cacheableResponse, expiration, precaching, routing, strategies } = workbox;
const whole = () => new cacheableResponse.CacheableResponsePlugin({ statuses: [0, 200] });

precaching.precacheAndRoute(/*SHELL*/ []);
const shell = precaching.createHandlerBoundToURL("/friends");
routing.registerRoute(new routing.NavigationRoute(shell, { allowlist: [/^\/friends/] }));

routing.registerRoute(
  ({ url }) => url.pathname === "/api/friends",
  new strategies.StaleWhileRevalidate({ cacheName: "list", plugins: [whole()] }),
);
routing.registerRoute(
  ({ url }) => url.pathname.startsWith("/images/"),
  new strategies.CacheFirst({
    cacheName: "pictures",
    plugins: [
      whole(),
      new expiration.ExpirationPlugin({ maxEntries: 200, maxAgeSeconds: 7 * 24 * 60 * 60 }),
    ],
  }),
);
