// A page of plain images: the list, a way out of it and back, and a profile over it.
"use strict";
/** What `/api/friends` answers, where the page knows it; null where it has to ask. */
const known = /*FRIENDS*/ null;
const main = document.querySelector("main");
const modal = document.querySelector("dialog");
/** Held as long as the document, so that the list is asked for once. */
let friends = [];

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt()};`);
// One size for the list and the modal, so that the modal finds its picture.
const picture = (friend, edge) =>
  `<span class="picture" data-user-id="${friend.user_id}" data-state="ready">` +
  `<img src="/images/${friend.picture.image_id}?size=256" alt="" width="${edge}" height="${edge}"></span>`;
const row = (friend) =>
  `<li><a class="friend" data-testid="friend" href="/friends/${friend.user_id}">${picture(friend, 48)}` +
  `<span><b>${escaped(friend.name)}</b><br>${escaped(friend.headline)}</span></a></li>`;

const enter = () => {
  main.innerHTML = `<ul data-testid="friend-list">${friends.map(row).join("")}</ul>`;
};
const leave = () => main.replaceChildren();
const open = (path) => {
  const friend = friends.find(({ user_id }) => path === `/friends/${user_id}`);
  modal.innerHTML = picture(friend, 256);
  modal.showModal();
};

document.addEventListener("click", (event) => {
  const path = event.target.closest("a")?.getAttribute("href");
  if (!path) return;
  event.preventDefault();
  if (path === "/me") leave();
  else if (path === "/friends") enter();
  else open(path);
});

const show = (page) => {
  friends = page.friends;
  enter();
};
if (known) show(known);
else fetch("/api/friends?limit=50").then((answer) => answer.json()).then(show);

// After the page has loaded, as Workbox's documentation has it.
if (/*HAS_WORKER*/ false) addEventListener("load", () => navigator.serviceWorker.register("/sw.js"));
