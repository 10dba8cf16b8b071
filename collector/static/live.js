// Keeps the marked part of a page fresh: the collector says over /live that something changed, and the part is fetched
// again. Without this script the page says how to reload.
"use strict";
(function () {
  const part = document.querySelector("[data-live]");
  if (!part || !window.EventSource) return;
  const state = document.querySelector("[data-live-state]");
  let asked = false;
  let busy = false;

  async function refresh() {
    if (busy) { asked = true; return; }
    busy = true;
    try {
      const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" }, redirect: "error" });
      if (answer.ok) part.innerHTML = await answer.text();
      else if (answer.status !== 500) location.reload();
    } catch (error) {
      if (state) state.hidden = false;
    }
    busy = false;
    if (asked) { asked = false; refresh(); }
  }

  const source = new EventSource("/live");
  source.addEventListener("change", refresh);
  source.addEventListener("open", function () { if (state) state.hidden = true; refresh(); });
  source.addEventListener("error", function () { if (state) state.hidden = false; });
  window.addEventListener("pagehide", function () { source.close(); });
})();
