// SPDX-License-Identifier: MIT
// One line a method: times, CPU time, copies, system calls and switches side by side.
import {el, section} from "../dom.js";
import {bytes, copies, count, duration, plural} from "../format.js";
import {printable} from "../text.js";
import {explain, facts} from "../tooltip.js";
import {timeAxis, timeMark, timeScale} from "./times.js";

// A bar of parts [name, value, class], all in proportion to `most`.
function bar(parts, most, text) {
  const shown = parts.filter(([, value]) => value > 0);
  return el("div", {class: "measure"}, el("span", {class: "amount"}, text),
    el("span", {class: "track"}, shown.map(([name, value, kind]) => el("span", {class: `part ${kind}`, style: {width: `${most > 0 ? 100 * value / most : 0}%`}}))));
}

function unknown(reason) {
  return el("div", {class: "measure unknown", title: printable(reason)}, "unknown", el("span", {class: "note"}, printable(reason)));
}

// What is the sum of something unknown is not known, either.
const isKnown = (value) => value !== null && value !== undefined;
const sum = (...parts) => (parts.every(isKnown) ? parts.reduce((all, part) => all + part, 0) : null);

// The division between user and system may be null where both together are known.
const ownCpu = (one) => one.cpu_ns ?? sum(one.user_ns, one.system_ns);
const cpuOf = (method) => (method.daemon ? sum(ownCpu(method), ownCpu(method.daemon)) : ownCpu(method));
const switchesOf = (method) => sum(method.voluntary_switches, method.involuntary_switches);
const largest = (methods, value) => Math.max(0, ...methods.map((method) => value(method) ?? 0));
const NOT_COUNTED = "the counting pass was not made";

function cpuCell(method, most) {
  if (cpuOf(method) === null)
    return unknown(ownCpu(method) === null ? method.unknown?.cpu_ns ?? "it was not measured" : "that of the FUSE daemon was not measured");
  const parts = sum(method.user_ns, method.system_ns) === null ? [["user and system", ownCpu(method), "undivided"]]
    : [["user", method.user_ns, "user"], ["system", method.system_ns, "system"]];
  if (method.daemon) parts.push(["FUSE daemon", ownCpu(method.daemon), "daemon"]);
  return explain(bar(parts, most, duration(cpuOf(method))), () => facts("CPU time", parts.map(([name, value]) => [name, duration(value)])));
}

function copiesCell(method, most) {
  if (!method.copies) return unknown(method.copies_unknown ?? "the experiment was not made");
  const {user, kernel, reader, per_byte: all, evidence} = method.copies;
  return explain(bar([["user", user, "by-user"], ["kernel", kernel, "by-kernel"], ["reader", reader, "by-reader"]], most, copies(all)),
    () => facts("CPU copies of each byte", [["by its own calls", copies(user)], ["by the kernel besides", copies(kernel)], ["by the reader", copies(reader)], ["known by", printable(evidence)]]));
}

function countCell(value, most, parts) {
  if (!isKnown(value)) return unknown(NOT_COUNTED);
  return bar(parts, most, count(value));
}

// Rows that cannot be told apart share a badge; if they are most of the rows, it would say nothing.
function shared(report, labels, method, text, kind) {
  const timed = report.methods.filter((one) => one.wall_ns).length;
  if (!labels.includes(method.label) || 2 * labels.length > timed) return null;
  return el("span", {class: `badge ${kind}`}, labels.length > 1 ? `among the ${text}` : text);
}

function badges(report, method) {
  return [shared(report, report.fastest, method, "fastest", ""),
    shared(report, report.cheapest, method, "cheapest", "cheap"),
    report.baseline === method.label && el("span", {class: "badge base"}, "baseline"),
    method.verified === false && el("span", {class: "badge wrong"}, "wrong bytes"),
    method.error && method.wall_ns && el("span", {class: "badge wrong", title: printable(method.error)}, "failed in part")];
}

function methodLine(report, method, scales) {
  const head = el("th", {scope: "row"}, el("span", {class: "method"}, printable(method.label)), el("span", {class: "badges"}, badges(report, method)));
  if (!method.wall_ns) return el("tr", {class: "failed"}, head, el("td", {colspan: 5}, `${method.program ? "failed" : "not possible here"}: ${printable(method.error ?? "no run was complete")}`));
  const rate = `${bytes(method.bytes_per_s)}/s`;
  return el("tr", {}, head,
    el("td", {class: "time-cell"}, timeMark(method, scales.time, report.verdict?.take === method.label),
      el("span", {class: "note"}, `${duration(method.wall_ns.median)} · ${rate}${method.relative === null ? "" : ` · ${method.relative.toFixed(2)} × the baseline's time`}${method.program?.startup_ns ? ` · ${duration(method.program.startup_ns.median)} until its first byte` : ""}`)),
    el("td", {}, cpuCell(method, scales.cpu)),
    el("td", {}, copiesCell(method, scales.copies)),
    el("td", {}, countCell(method.syscalls, scales.syscalls, [["", method.syscalls, "calls"]])),
    el("td", {}, explain(countCell(switchesOf(method), scales.switches, [["voluntary", method.voluntary_switches, "voluntary"], ["involuntary", method.involuntary_switches, "involuntary"]]),
      () => facts("Context switches", [["voluntary", count(method.voluntary_switches)], ["involuntary", count(method.involuntary_switches)]]))));
}

function legend(timed) {
  const undivided = timed.some((method) => sum(method.user_ns, method.system_ns) === null);
  const item = (kind, text) => el("li", {}, el("span", {class: `swatch part ${kind}`}), text);
  return el("ul", {class: "legend"}, item("run-dot", "a run"), item("interval-box", "interval of the median"),
    item("user", "CPU in user space"), item("system", "CPU in the kernel"),
    undivided && item("undivided", "CPU, too little to divide"),
    item("by-user", "copies by its own calls"), item("by-kernel", "by the kernel besides"), item("by-reader", "by the reader"));
}

// What the rows are: commands alone are compared without source and sink.
export const rowsOf = (report) => (report.source ? {one: "method", all: "methods", title: "Methods"} : {one: "command", all: "commands", title: "Commands"});

export function methodsSection(report) {
  const {methods} = report;
  const rows = rowsOf(report);
  const timed = methods.filter((method) => method.wall_ns);
  const scales = {time: timeScale(timed), cpu: largest(timed, cpuOf), copies: largest(timed, (method) => method.copies?.per_byte),
    syscalls: largest(timed, (method) => method.syscalls), switches: largest(timed, switchesOf)};
  const heads = [[rows.one], ["wall time, each run", timeAxis(scales.time)], ["CPU time"], ["copies a byte"], ["system calls"], ["switches"]];
  return section("methods", `${plural(methods.length, rows.one, rows.all)}, ${plural(report.rounds, "round", "rounds")}`, legend(timed),
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": rows.title}, el("table", {class: "methods"},
      el("thead", {}, el("tr", {}, heads.map(([title, axis]) => el("th", {scope: "col"}, title, axis)))),
      el("tbody", {}, methods.map((method) => methodLine(report, method, scales))))));
}
