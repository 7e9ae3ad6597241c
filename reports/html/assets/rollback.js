// Has the daemon roll back to the release of the page, after a question. The token goes into the request alone: a page of
// another site cannot send it, and nothing here keeps it.
"use strict";
(() => {
  document.documentElement.classList.add("script");
  const part = (name) => document.getElementById("rollback" + name);

  function say(text) { part("-answer").textContent = text; }

  function ask() {
    part("-token").value = "";
    say("");
    part("").showModal();
  }

  let busy = false;
  async function begin(form) {
    const token = part("-token").value.trim();
    if (busy) return;
    if (!token) { say("The token is needed."); part("-token").focus(); return; }
    busy = true;
    say("");
    try {
      const answer = await fetch("/api/v1/rollback", {
        method: "POST", credentials: "omit", cache: "no-store",
        headers: {Authorization: "Bearer " + token, "Content-Type": "application/json"},
        body: JSON.stringify({release: form.dataset.release}),
      });
      if (answer.status === 202) { location.assign(form.dataset.job); return; }
      const doc = await answer.json().catch(() => ({}));
      say(answer.status === 401 ? "The token is not right." : doc.error || "The daemon answered " + answer.status + ".");
    } catch {
      say("The daemon did not answer.");
    } finally {
      busy = false;
    }
  }

  // The page's nodes are replaced when it updates itself, so that the document listens.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-rollback]");
    if (!button) return;
    if (button.dataset.rollback === "ask") ask(); else part("").close();
  });
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(event.target);
  });
})();
