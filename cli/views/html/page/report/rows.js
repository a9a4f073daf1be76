// SPDX-License-Identifier: MIT
// The rows of the totals, each with a histogram of its latency on a logarithmic scale that all of
// them share.
import {scaleLog} from "d3-scale";

import {el, section, svg} from "../dom.js";
import {bytes, count, duration} from "../format.js";
import {table} from "../table.js";
import {printable} from "../text.js";
import {explain, facts} from "../tooltip.js";
import {copiesCell} from "./flow.js";

const WIDTH = 150;
const HEIGHT = 28;
const TALLEST = HEIGHT - 7;

// A bar for each bucket that has calls; the rarest is still to be seen. Buckets are half an octave:
// [2^k, 1.5 * 2^k) and [1.5 * 2^k, 2^(k+1)).
function bars(buckets, x) {
  const counted = Object.entries(buckets ?? {}).map(([from, calls]) => [Number(from), calls]);
  const most = Math.max(1, ...counted.map(([, calls]) => calls));
  return counted.map(([from, calls]) => {
    const octave = 2 ** Math.floor(Math.log2(Math.max(1, from)));
    const until = from >= 1.5 * octave ? 2 * octave : 1.5 * octave;
    const height = Math.max(1.2, TALLEST * calls / most);
    return svg("rect", {class: "bucket", x: x(from), y: (TALLEST - height).toFixed(1), width: Math.max(1, x(until) - x(from) - 0.4).toFixed(1), height: height.toFixed(1)});
  });
}

function strip(latency, scale) {
  if (!latency) return el("span", {class: "unknown"}, "unknown");
  const x = (ns) => scale(Math.max(1, ns)).toFixed(1);
  const middle = HEIGHT - 4;
  const mark = svg("svg", {class: "strip", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, tabindex: "0", role: "img",
    "aria-label": `median ${duration(latency.p50)}, 90% ${duration(latency.p90)}, 99% ${duration(latency.p99)}, longest ${duration(latency.max)}`},
  bars(latency.buckets, x), svg("line", {class: "range", x1: x(latency.min), x2: x(latency.max), y1: middle, y2: middle}),
  svg("line", {class: "most", x1: x(latency.p50), x2: x(latency.p99), y1: middle, y2: middle}),
  svg("circle", {class: "p90", cx: x(latency.p90), cy: middle, r: 2}),
  svg("circle", {class: "p50", cx: x(latency.p50), cy: middle, r: 3}));
  return explain(mark, () => facts("Time of a call", [
    ["shortest", duration(latency.min)], ["mean", duration(latency.mean)], ["median", duration(latency.p50)],
    ["90%", `${duration(latency.p90)} or less`], ["99%", `${duration(latency.p99)} or less`], ["longest", duration(latency.max)],
    ["timed calls", count(latency.timed_calls)]]));
}

function errors(row) {
  if (row.errors === 0) return "0";
  const named = Object.entries(row.errors_by ?? {}).map(([error, number]) => `${count(number)} ${printable(error)}`);
  return el("span", {class: "errors", title: named.join(", ")}, count(row.errors), el("span", {class: "note"}, named.slice(0, 2).join(", ")));
}

const moves = (row) => row.copy !== "none";

export function rowColumns(rows, timed) {
  const latencies = rows.map((row) => row.latency_ns).filter(Boolean);
  const scale = scaleLog().clamp(true).range([6, WIDTH - 6]).domain([
    Math.max(1, Math.min(...latencies.map((one) => one.min))), Math.max(10, ...latencies.map((one) => one.max))]);
  const most = Math.max(1, ...rows.map((row) => row.bytes));
  return [
    {title: "call", value: (row) => row.syscall, cell: (row) => el("code", {}, printable(row.syscall))},
    {title: "from → to", value: (row) => (moves(row) ? `${row.from} → ${row.to}` : null), cell: (row) => (moves(row) ? `${row.from} → ${row.to}${row.protocol ? ` (${row.protocol})` : ""}` : "–")},
    {title: "bytes", number: true, value: (row) => row.bytes, cell: (row) => (moves(row) ? el("span", {class: "with-bar"}, bytes(row.bytes), el("span", {class: "bar", "aria-hidden": "true", style: {width: `${100 * row.bytes / most}%`}})) : "–")},
    {title: "calls", number: true, value: (row) => row.calls, cell: (row) => count(row.calls)},
    {title: "bytes a call", number: true, value: (row) => (moves(row) && row.calls > 0 ? row.bytes / row.calls : null), cell: (row) => (moves(row) && row.calls > 0 ? bytes(row.bytes / row.calls) : "–")},
    {title: "copies a byte", number: true, value: (row) => (row.bytes > 0 ? row.cpu_copied_bytes / row.bytes : null), cell: (row) => (row.bytes > 0 ? [copiesCell(row.cpu_copied_bytes, row.bytes), row.copies_evidence && el("span", {class: "note"}, ` ${row.copies_evidence}`)] : "–"), help: "How often a CPU copied each byte in these calls. measured: the kernel says so; rule: it follows from the call and its ends"},
    {title: "verdict", value: (row) => row.verdict, cell: (row) => (row.verdict ? printable(row.verdict).replaceAll("_", " ") + (row.over_loopback ? ": loopback" : "") : "–"), optional: true},
    {title: "errors", number: true, value: (row) => row.errors, cell: errors, optional: true},
    {title: "switches", number: true, value: (row) => row.voluntary_switches + row.involuntary_switches, cell: (row) => `${count(row.voluntary_switches)}/${count(row.involuntary_switches)}`, help: "voluntary/involuntary, inside these calls"},
    {title: "time", number: true, value: (row) => (timed ? row.wall_ns : null), cell: (row) => (timed ? (row.wall_error_ns ? [el("span", {title: `± ${duration(row.wall_error_ns)}`}, `~${duration(row.wall_ns)}`)] : duration(row.wall_ns)) : "unknown"), help: "from entry to return; ~ is an estimate, because not every call was timed (--timing all)"},
    {title: "off CPU", number: true, value: (row) => (timed ? row.off_cpu_ns : null), cell: (row) => (timed ? duration(row.off_cpu_ns) : "unknown")},
    ...(timed ? [{title: "median", number: true, value: (row) => row.latency_ns?.p50 ?? null, cell: (row) => (row.latency_ns ? duration(row.latency_ns.p50) : "–")},
      {title: "99%", number: true, value: (row) => row.latency_ns?.p99 ?? null, cell: (row) => (row.latency_ns ? duration(row.latency_ns.p99) : "–")},
      {title: "latency", value: (row) => row.latency_ns?.p50 ?? null, cell: (row) => strip(row.latency_ns, scale), help: "how many calls took how long, on a logarithmic scale; below, the dots are the median and 90%, the thick part ends at 99%"}] : []),
  ];
}

export function rowsSection(report) {
  const {rows} = report.totals;
  const timed = report.latency_measured !== false;
  if (rows.length === 0) return section("rows", "System calls", el("p", {class: "empty"}, "No call returned."));
  return section("rows", "System calls", table(rows, rowColumns(rows, timed), {
    label: "System calls", noun: ["row", "rows"], sort: 2, filter: (row) => `${row.syscall} ${row.from} ${row.to}`,
    note: timed ? null : "Times are not known: the report was made with --timing none."}));
}
