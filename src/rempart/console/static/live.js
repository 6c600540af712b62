// Keeps the duty page true: takes the server's word every few seconds and swaps the page when something has changed.
// It never swaps under a finger or a key, keeps folds and focus, and marks what changed for a minute.
"use strict";

const main = () => document.querySelector("main");
let waiting = false, pressed = false, touched = 0;
addEventListener("pointerdown", () => { pressed = true; });
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { pressed = false; touched = Date.now(); });
// A key counts as it goes down and up, not while it repeats: one that is stuck must not hold the page still.
for (const key of ["keydown", "keyup"]) addEventListener(key, (event) => { if (!event.repeat) touched = Date.now(); });

function changed(old, fresh) {
  const before = new Map([...old.querySelectorAll("[data-key]")].map((e) => [e.dataset.key, look(e)]));
  return [...fresh.querySelectorAll("[data-key]")].filter((e) => before.get(e.dataset.key) !== look(e));
}

const look = (element) => element.dataset.state ?? element.textContent;

// The ids of what has the focus within an element and of all that encloses it, innermost first.
function trail(within) {
  const ids = [];
  for (let e = document.activeElement; within.contains(e); e = e.parentElement) if (e.id) ids.push(e.id);
  return ids;
}

// Every control of a live page has an id. If it is gone the nearest part of the page still there takes the focus, so
// that the next Tab goes on from where the person was.
function refocus(ids) {
  const there = ids.map((id) => document.getElementById(id)).find(Boolean);
  if (!there) return;
  there.focus({ preventScroll: true });
  if (document.activeElement === there) return;
  there.tabIndex = -1;
  there.focus({ preventScroll: true });
}

async function swap() {
  if (waiting) return;
  waiting = true;
  while (pressed || Date.now() - touched < 1500) await new Promise((go) => setTimeout(go, 300));
  waiting = false;
  const answer = await fetch(location.href, { headers: { "x-rempart-live": "1" } });
  if (!answer.ok) return location.reload();
  const fetched = new DOMParser().parseFromString(await answer.text(), "text/html");
  const old = main(), fresh = fetched.querySelector("main"), focused = trail(old);
  for (const fold of old.querySelectorAll("details[open]")) fetched.getElementById(fold.id)?.setAttribute("open", "");
  for (const element of changed(old, fresh)) {
    element.classList.add("changed");
    setTimeout(() => element.classList.remove("changed"), 60000);
  }
  old.replaceWith(document.adoptNode(fresh));
  document.title = fetched.title;
  refocus(focused);
}

const stream = new EventSource("/events?shown=" + main().dataset.shown + "&" + location.search.slice(1));
stream.addEventListener("page", (event) => { if (event.data !== main().dataset.shown) swap(); });
stream.addEventListener("proof", (event) => {
  const now = JSON.parse(event.data), proof = document.getElementById("proof");
  document.getElementById("clock").textContent = now.clock;
  proof.textContent = now.text;
  proof.className = now.mood;
});
stream.addEventListener("open", () => { document.getElementById("lost").hidden = true; });
stream.addEventListener("error", () => { document.getElementById("lost").hidden = false; });
