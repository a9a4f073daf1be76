// SPDX-License-Identifier: MIT
// The page of mount: files and requesters, and what the daemon did for them.
import {el, section} from "../dom.js";
import {amount, bytes, copies, count, duration, plural} from "../format.js";
import {picture} from "../flow/picture.js";
import {completenessSection} from "../report/completeness.js";
import {ribbonTable} from "../report/flow.js";
import {missing} from "../report/processes.js";
import {circumstances, figure, unknowns} from "../report/summary.js";
import {table} from "../table.js";
import {commandLine, name, printable, shortened} from "../text.js";
import {mountGraph} from "./graph.js";

const size = (title, key, of = (item) => item) => ({title, number: true, value: (item) => of(item)[key], cell: (item) => bytes(of(item)[key])});
const number = (title, key, of = (item) => item) => ({title, number: true, value: (item) => of(item)[key], cell: (item) => count(of(item)[key])});
const copied = (of = (item) => item) => ({title: "copied by the daemon", number: true, value: (item) => of(item).copied_bytes, cell: (item) => bytes(of(item).copied_bytes), help: "through the daemon's own memory; the rest was spliced"});

function operations(counts) {
  const all = Object.entries(counts).sort((one, other) => other[1].count - one[1].count);
  const text = all.map(([operation, {count: calls}]) => `${printable(operation)} ${count(calls)}`);
  return el("span", {title: text.join(", ")}, shortened(text.slice(0, 4).join(", "), 70));
}

const usage = [number("requests", "requests"), size("read", "bytes_read"), size("written", "bytes_written"), copied()];
const fuseUsage = (process) => process.fuse;

function filesSection(report) {
  return section("files", "Files", table(report.files, [
    {title: "file", value: (file) => file.path, cell: (file) => name(shortened(file.path, 90, true), {title: file.path}), wide: true},
    ...usage, {...number("errors", "errors"), optional: true},
    {title: "operations", value: (file) => Object.keys(file.operations).length, cell: (file) => operations(file.operations), wide: true},
  ], {label: "Files", noun: ["file", "files"], sort: 2, filter: (file) => file.path, note: missing(report, "files")}));
}

function requestersSection(report) {
  const requesters = report.processes.filter((process) => process.fuse);
  if (requesters.length === 0) return null;
  return section("requesters", "Requesting processes", table(requesters, [
    {title: "process", value: (process) => process.name, cell: (process) => name(shortened(process.name, 60)), wide: true},
    {title: "PID", number: true, value: (process) => process.pid},
    {title: "command", value: (process) => commandLine(process.argv), cell: (process) => el("bdi", {class: "command"}, shortened(commandLine(process.argv), 90)), wide: true},
    number("requests", "requests", fuseUsage), size("read", "bytes_read", fuseUsage), size("written", "bytes_written", fuseUsage), copied(fuseUsage),
    {title: "operations", value: (process) => Object.keys(process.fuse.operations).length, cell: (process) => operations(process.fuse.operations), wide: true},
  ], {label: "Requesting processes", noun: ["process", "processes"], sort: 4, filter: (process) => `${process.name} ${process.pid} ${process.argv.join(" ")}`, note: missing(report, "processes")}));
}

function amplificationSection(report) {
  const {amplification: all} = report;
  if (!all) return null;
  const sides = [["applications, on FUSE files", all.applications], ["requests to the daemon", all.requests], ["the daemon, on the source", all.daemon]];
  const per = (side, key) => (side.per_gb?.[key] === undefined ? "–" : amount(side.per_gb[key]));
  const switches = (side) => (side.voluntary_switches === undefined ? "–" : `${count(side.voluntary_switches)}/${count(side.involuntary_switches)}`);
  return section("amplification", "What each side did", el("p", {class: "note"}, `For ${bytes(all.bytes)} that applications moved.`),
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Amplification"}, el("table", {},
      el("thead", {}, el("tr", {}, ["side", "calls", "calls per GB", "bytes", "copied", "in kernel", "switches"].map((head, i) => el("th", {scope: "col", class: i ? "number" : null}, head)))),
      el("tbody", {}, sides.map(([title, side]) => el("tr", {}, el("th", {scope: "row"}, title),
        [count(side.calls), per(side, "calls"), bytes(side.bytes), bytes(side.copied_bytes), bytes(side.in_kernel_bytes), switches(side)].map((cell) => el("td", {class: "number"}, cell))))))));
}

function sums(report) {
  const sum = {requests: 0, errors: 0, bytes_read: 0, bytes_written: 0, spliced_bytes: 0, copied_bytes: 0};
  const all = [...report.processes.map((process) => process.fuse), report.other_processes?.fuse].filter(Boolean);
  for (const one of all) for (const key of Object.keys(sum)) sum[key] += one[key];
  return sum;
}

// What a mount adds to the page of `run --mount`, and most of the page of `mount`.
export function mountSections(report) {
  const graph = mountGraph(report);
  return [
    section("mount", "Through the mount", graph.ribbons.length === 0
      ? el("p", {class: "empty"}, "No bytes were read or written through the mount.")
      : [picture(graph, "Files, the daemon, and the processes that used them"), ribbonTable(graph)]),
    filesSection(report), requestersSection(report), amplificationSection(report),
  ];
}

export function mountPage(report) {
  const sum = sums(report);
  const {mount} = report;
  const title = `${plural(sum.requests, "request", "requests")} on ${printable(mount.source)} in ${duration(report.duration_ns)}: ${bytes(sum.bytes_read)} read, ${bytes(sum.bytes_written)} written`;
  document.title = `${shortened(title, 80)} – zctrace mount`;
  const moved = sum.bytes_read + sum.bytes_written;
  return [
    el("header", {id: "summary"}, el("h1", {}, el("bdi", {}, title)),
      el("p", {class: "subline"}, `mounted at ${printable(mount.mount_point)} · cache ${printable(mount.cache)} · splice ${mount.splice ? "on" : "off"} · `,
        el("span", {class: report.completeness.lost_events > 0 ? "bad" : null}, `${plural(report.completeness.lost_events, "event", "events")} lost`)),
      circumstances(report),
      el("dl", {class: "figures", id: "figures"},
        figure("requests", "requests", count(sum.requests), plural(sum.errors, "error", "errors")),
        figure("bytes_read", "read", bytes(sum.bytes_read), "by calls and mappings"),
        figure("bytes_written", "written", bytes(sum.bytes_written), "by calls and mappings"),
        figure("copied_bytes", "copied by the daemon", bytes(sum.copied_bytes), moved > 0 ? `${copies(sum.copied_bytes / moved)} copies a byte` : "nothing moved"),
        figure("spliced_bytes", "spliced", bytes(sum.spliced_bytes), "never in the daemon's memory"))),
    ...mountSections(report),
    completenessSection(report.completeness),
    unknowns(report),
  ];
}
