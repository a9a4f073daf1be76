// SPDX-License-Identifier: MIT
import {el, section} from "../dom.js";
import {bytes, count, duration, percent, plural} from "../format.js";
import {table} from "../table.js";
import {commandLine, name, shortened} from "../text.js";
import {copiesCell} from "./flow.js";

function ending(process) {
  if (process.signal) return process.signal;
  if (process.exit_code !== null && process.exit_code !== undefined) return `exit ${process.exit_code}`;
  return process.ended_ns === null ? "runs" : "ended";
}

const moved = (process) => process.copied_bytes + process.in_kernel_bytes;

const COLUMNS = [
  {title: "process", value: (process) => process.name, cell: (process) => name(shortened(process.name, 60)), wide: true},
  {title: "PID", number: true, value: (process) => process.pid, cell: (process) => el("span", {class: "pid"}, process.tid ? `${process.pid}/${process.tid}` : process.pid)},
  {title: "command", value: (process) => commandLine(process.argv), cell: (process) => el("bdi", {class: "command", title: commandLine(process.argv)}, shortened(commandLine(process.argv), 90)), wide: true, optional: true},
  {title: "moved", number: true, value: moved, cell: (process) => bytes(moved(process)), help: "Bytes of all calls, in both directions"},
  {title: "delivered", number: true, value: (process) => process.delivered_bytes, cell: (process) => bytes(process.delivered_bytes)},
  {title: "copies a byte", number: true, value: (process) => process.cpu_copies_per_byte, cell: (process) => (process.cpu_copies_per_byte === null ? "–" : copiesCell(process.cpu_copied_bytes, process.delivered_bytes)), help: "CPU copies for each delivered byte"},
  {title: "zero-copy", number: true, value: (process) => process.zero_copy_share, cell: (process) => (process.zero_copy_share === null ? "–" : percent(process.zero_copy_share))},
  {title: "calls", number: true, value: (process) => process.syscalls, cell: (process) => count(process.syscalls)},
  {title: "errors", number: true, value: (process) => process.errors, cell: (process) => count(process.errors), optional: true},
  {title: "CPU", number: true, value: (process) => process.user_ns + process.system_ns, cell: (process) => duration(process.user_ns + process.system_ns)},
  {title: "switches", number: true, value: (process) => process.voluntary_switches + process.involuntary_switches, cell: (process) => `${count(process.voluntary_switches)}/${count(process.involuntary_switches)}`, help: "voluntary/involuntary"},
  {title: "read from disk", number: true, value: (process) => process.disk_read_bytes, cell: (process) => bytes(process.disk_read_bytes), optional: true},
  {title: "end", value: ending, cell: ending},
];

// Processes that the table lacks: summed in the report, or left out of the page.
export function missing(report, list) {
  const summed = report[`other_${list}`]?.count ?? 0;
  const leftOut = report.page_left_out?.[list] ?? 0;
  return [summed > 0 && `${plural(summed, "more is", "more are")} in the totals only.`,
    leftOut > 0 && `${plural(leftOut, "more is", "more are")} in the report but not on this page: the ones with the fewest bytes.`]
    .filter(Boolean).join(" ");
}

export function processesSection(report) {
  const threads = report.processes.some((process) => process.tid);
  const noun = threads ? ["thread", "threads"] : ["process", "processes"];
  if (report.processes.length === 0) return null;
  return section("processes", `${plural(report.processes.length + (report.other_processes?.count ?? 0) + (report.page_left_out?.processes ?? 0), ...noun)}`,
    table(report.processes, COLUMNS, {label: "Processes", noun, sort: 3, filter: (process) => `${process.name} ${process.pid} ${process.argv.join(" ")}`, note: missing(report, "processes")}));
}
