// Keeps the page as it is now: asks for it again when the daemon says that something changed,
// and once a minute for what the clock changes. Without it the page works by reloading.
"use strict";
(() => {
  const live = document.getElementById("live");
  const main = document.querySelector("main");
  if (!main || !live) return;

  // local shows beside each time in UTC that of the browser's zone. The page's text stays as it is:
  // the style sheet shows the attribute.
  const day = {day: "numeric", month: "short"}, clock = {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"};
  function local() {
    let other = false;
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (isNaN(at)) continue;
      if (at.getTimezoneOffset() === 0) { time.removeAttribute("data-local"); continue; }
      other = true;
      const sameDay = at.getDate() === at.getUTCDate();
      const text = (sameDay ? "" : at.toLocaleDateString("en-GB", day) + ", ") + at.toLocaleTimeString("en-GB", clock);
      if (time.dataset.local !== text) time.dataset.local = text;
    }
    const zone = document.getElementById("zone");
    const words = other ? ", and beside them " + Intl.DateTimeFormat().resolvedOptions().timeZone : "";
    if (zone && zone.textContent !== words) zone.textContent = words;
  }
  local();

  if (!window.EventSource) return;
  let busy = false, again = false;

  // take makes the node old like the node fresh in place, so that focus, selection, scrolled
  // regions and opened details stay.
  function take(old, fresh) {
    if (old.dataset && "own" in old.dataset && fresh.dataset && "own" in fresh.dataset) return; // a script fills it
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(document.importNode(fresh, true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const {name} of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open" && name !== "data-local") old.removeAttribute(name);
    }
    for (const {name, value} of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const before = [...old.childNodes], after = [...fresh.childNodes];
    after.forEach((child, i) => before[i] ? take(before[i], child) : old.append(document.importNode(child, true)));
    before.slice(after.length).forEach((child) => child.remove());
  }

  const heading = () => (main.querySelector("h1") || main).textContent.replace(/\s+/g, " ").trim();

  function say(text, bad) {
    if (live.textContent !== text) live.textContent = text;
    live.className = bad ? "bad" : "";
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, {cache: "no-store", credentials: "same-origin"});
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main"), was = heading();
      if (!fresh) return;
      take(main, fresh);
      document.title = page.title;
      const asOf = page.querySelector("footer time"), shown = document.querySelector("footer time");
      if (asOf && shown) take(shown, asOf);
      local();
      if (heading() !== was) say("Updated: " + heading());
    } catch {
      // The event stream says that the connection is lost, and asks again when it is back.
    } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  // A page listens only while it is visible: browsers open few connections to one host,
  // and pages in the background would use them up.
  let events = null, lost = false, first = true;
  function listen() {
    if (events || document.hidden) return;
    events = new EventSource("/events");
    events.addEventListener("hello", () => { lost = false; say("Updates by itself."); if (!first) refresh(); first = false; });
    events.addEventListener("change", () => { if (lost) say("Updates by itself."); lost = false; refresh(); });
    events.onerror = () => { lost = true; say("The connection is lost: this may be old.", true); };
  }
  function rest() {
    if (events) events.close();
    events = null;
  }
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  document.addEventListener("visibilitychange", () => document.hidden ? rest() : listen());
  setInterval(() => { if (events && !lost) refresh(); }, 60000);
})();
