// SPDX-License-Identifier: MIT
// What was lost, what was in flight, and whether the kernel's own counters agree.
import {el, section} from "../dom.js";
import {count, plural} from "../format.js";
import {printable} from "../text.js";

function fact(label, value, bad = false) {
  return [el("dt", {}, label), el("dd", {class: bad ? "bad" : null}, value)];
}

function checks(verification) {
  return Object.entries(verification).filter(([, check]) => check && typeof check === "object" && "kernel" in check && "counted" in check)
    .map(([counter, check]) => el("tr", {}, el("th", {scope: "row"}, el("code", {}, printable(counter))),
      [check.kernel, check.counted, check.difference, check.margin].map((value) => el("td", {class: "number"}, value === null ? "no bound" : count(value)))));
}

function verified(verification) {
  if (!verification) return el("p", {class: "note"}, "Not compared with the kernel's own counters; --verify-counts does that.");
  const left = Object.entries(verification.not_compared ?? {}).filter(([, number]) => number > 0);
  return el("div", {id: "verification"},
    el("p", {class: verification.equal ? "good" : "bad"}, verification.equal
      ? `Equal to the kernel's own counters, in ${plural(verification.compared_processes, "process", "processes")}.`
      : `Different from the kernel's own counters: ${plural(verification.differences.length, "difference", "differences")}.`),
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Comparison with the kernel's counters"}, el("table", {},
      el("thead", {}, el("tr", {}, ["counter", "kernel", "counted", "difference", "margin"].map((head, i) => el("th", {scope: "col", class: i ? "number" : null}, head)))),
      el("tbody", {}, checks(verification)))),
    verification.io_not_verified && el("p", {class: "note"}, printable(verification.io_not_verified)),
    left.length > 0 && el("p", {class: "note"}, `Not compared: ${left.map(([reason, number]) => `${plural(number, "process", "processes")} (${printable(reason).replaceAll("_", " ")})`).join(", ")}.`));
}

export function completenessSection(completeness) {
  const lost = Object.entries(completeness.lost ?? {});
  const reasons = lost.filter(([, number]) => number > 0);
  return section("completeness", "Completeness",
    el("dl", {class: "plain"},
      fact("events lost", count(completeness.lost_events), completeness.lost_events > 0),
      reasons.map(([reason, number]) => fact(`lost: ${printable(reason).replaceAll("_", " ")}`, count(number), true)),
      fact("calls in flight at the start", `${count(completeness.in_flight_at_start)}${completeness.in_flight_at_start > 0 ? " (their bytes count, their time does not)" : ""}`),
      fact("calls in flight at the end", `${count(completeness.in_flight_at_end)}${completeness.in_flight_at_end > 0 ? " (not counted)" : ""}`),
      fact("tasks not followed", count(completeness.unfollowed_tasks), completeness.unfollowed_tasks > 0),
      fact("32-bit calls", count(completeness.compat_syscalls)),
      completeness.folded_rows > 0 && fact("rows without a place", `${count(completeness.folded_rows)}: their counts are in the rows (folded)`, true)),
    reasons.length > 0 && el("p", {class: "bad"}, "The counts on this page are too low by that much."),
    lost.length > 0 && el("details", {}, el("summary", {}, `All ${count(lost.length)} ways to lose an event`),
      el("dl", {class: "plain"}, lost.map(([reason, number]) => fact(printable(reason).replaceAll("_", " "), count(number), number > 0)))),
    verified(completeness.verification));
}
