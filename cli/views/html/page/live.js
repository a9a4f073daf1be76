// SPDX-License-Identifier: MIT
// The page of `export`: the report is fetched from the server, and shown again every few seconds.
// It is left alone while somebody uses it: what is being read or typed must not move.
import {el, replace} from "./dom.js";

const INTERVAL_MS = 2000;

export function live(draw) {
  const page = document.getElementById("page");
  const status = document.getElementById("live-status");
  const button = document.getElementById("live-switch");
  let paused = false;
  let shown = null; // the report that is on the page
  let problem = null;

  const inUse = () => page.contains(document.activeElement) || document.querySelector(".tooltip.open") !== null ||
    !document.getSelection().isCollapsed || page.querySelector("details[open]") !== null;

  function say() {
    if (problem) status.textContent = `No answer from zctrace: ${problem}. `;
    else if (paused) status.textContent = "Paused.";
    else if (shown && inUse()) status.textContent = "Waits while you use the page.";
    else if (shown && shown.duty) status.textContent = `Live: estimates from ${Math.round(100 * shown.duty.share)}% of the time since zctrace started (--duty).`;
    else status.textContent = "Live: the counts since zctrace started.";
    status.classList.toggle("bad", problem !== null);
    if (!shown && problem) replace(page, el("p", {class: "empty"}, "There is no report to show."));
  }

  async function update() {
    if (!paused && !document.hidden && !(shown && inUse())) {
      try {
        const answer = await fetch("/api/report", {cache: "no-store", credentials: "omit"});
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const report = await answer.json();
        problem = null;
        // Meanwhile somebody may have begun to use it.
        if (!paused && !(shown && inUse())) {
          draw(report);
          shown = report;
        }
      } catch (error) {
        problem = error instanceof TypeError ? "it has ended, or the network is down" : error.message;
      }
    }
    say();
    setTimeout(update, INTERVAL_MS);
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
    say();
  });
  update();
}
