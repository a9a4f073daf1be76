// SPDX-License-Identifier: MIT
// The times of one method: a dot for each run, the median and its interval, on one scale for all.
import {axisTop} from "d3-axis";
import {scaleLinear} from "d3-scale";
import {select} from "d3-selection";

import {svg} from "../dom.js";
import {count, duration} from "../format.js";
import {explain, facts} from "../tooltip.js";

export const WIDTH = 400;
const HEIGHT = 30;
const AXIS = 24;

export function timeScale(methods) {
  const longest = Math.max(1, ...methods.filter((method) => method.wall_ns).map((method) => method.wall_ns.max));
  return scaleLinear().domain([0, longest]).nice(5).range([6, WIDTH - 14]);
}

export function timeAxis(scale) {
  const node = svg("svg", {class: "axis", viewBox: `0 0 ${WIDTH} ${AXIS}`, width: WIDTH, height: AXIS, "aria-hidden": "true"});
  select(node).append("g").attr("transform", `translate(0,${AXIS - 1})`).call(axisTop(scale).ticks(5).tickSize(4).tickFormat((ns) => (ns === 0 ? "0" : duration(ns))));
  return node;
}

// Dots that would cover each other are moved apart, the same way each time the page is opened.
const offset = (i) => ((i * 7) % 5 - 2) * 2.2;

export function timeMark({wall_ns: times, label}, scale, best) {
  const middle = HEIGHT / 2;
  const interval = times.median_interval;
  const spread = interval ? `, which lies between ${duration(interval[0])} and ${duration(interval[1])}` : "";
  const mark = svg("svg", {class: `times${best ? " best" : ""}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, tabindex: "0", role: "img",
    "aria-label": `${label}: median ${duration(times.median)}${spread}, ${count(times.runs.length)} runs`},
  scale.ticks(5).map((tick) => svg("line", {class: "grid", x1: scale(tick), x2: scale(tick), y1: 0, y2: HEIGHT})),
  interval && svg("rect", {class: "interval", x: scale(interval[0]), width: Math.max(2, scale(interval[1]) - scale(interval[0])), y: middle - 7, height: 14, rx: 3}),
  times.runs.map((run, i) => svg("circle", {class: "run", cx: scale(run).toFixed(1), cy: (middle + offset(i)).toFixed(1), r: 3})),
  svg("line", {class: "median", x1: scale(times.median), x2: scale(times.median), y1: middle - 10, y2: middle + 10}));
  return explain(mark, () => facts(label, [
    ["median", duration(times.median)], ["interval of the median", interval ? `${duration(interval[0])} to ${duration(interval[1])}${times.runs.length >= 6 ? " (95%)" : ""}` : "unknown: too few runs"],
    ["mean", `${duration(times.mean)}${times.stddev === null ? "" : ` ± ${duration(times.stddev)}`}`], ["shortest", duration(times.min)], ["longest", duration(times.max)], ["runs", count(times.runs.length)]]));
}
