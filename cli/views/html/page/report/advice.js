// SPDX-License-Identifier: MIT
// What could be done better (--advise), the most useful first.
import {el, section} from "../dom.js";
import {bytes, count, duration, percent} from "../format.js";
import {printable, shortened} from "../text.js";

const endName = (end) => printable(end?.path ?? end?.peer ?? end?.kind ?? "");

function saves(advice) {
  const {saves: saved} = advice;
  if (!saved) return null;
  const parts = [saved.syscalls > 0 && `${count(saved.syscalls)} system calls`, saved.cpu_copied_bytes > 0 && `${bytes(saved.cpu_copied_bytes)} of copies`,
    saved.cpu_ns !== null && saved.cpu_ns > 0 && `${duration(saved.cpu_ns)} of CPU time`].filter(Boolean);
  if (parts.length === 0) return null;
  return el("p", {}, `Would have saved ${parts.join(", ")}`, saved.basis && el("span", {class: "note"}, ` (${printable(saved.basis)})`), ".");
}

function item(advice) {
  return el("li", {class: "advice"},
    el("h3", {}, advice.instead ? el("code", {}, printable(advice.instead)) : printable(advice.kind).replaceAll("_", " "),
      el("span", {class: "note"}, ` ${shortened(printable(advice.name), 40)} ${advice.pid} · ${bytes(advice.bytes)}`,
        advice.share_of_delivered !== null && advice.share_of_delivered !== undefined && `, ${percent(advice.share_of_delivered)} of what it delivered`)),
    el("p", {}, printable(advice.sentence ?? advice.why)),
    el("p", {class: "path"}, el("bdi", {}, shortened(endName(advice.from), 70, true)), " → ", (advice.via ?? []).map((call, i) => [i > 0 && " → ", el("code", {}, printable(call))]), " → ", el("bdi", {}, shortened(endName(advice.to), 70, true)),
      advice.legal === false && el("span", {class: "note"}, " (not possible between these two)")),
    saves(advice),
    advice.stack?.length > 0 && el("details", {}, el("summary", {}, "Where in the program"), el("ol", {class: "stack-frames"}, advice.stack.map((frame) => el("li", {}, el("code", {}, printable(frame)))))));
}

export function adviceSection(report) {
  if (!report.advice) return null;
  return section("advice", "Advice", report.advice.length === 0
    ? el("p", {class: "empty"}, "Nothing to advise: no pattern was found that another call would serve better.")
    : el("ol", {class: "advices"}, report.advice.map(item)));
}
