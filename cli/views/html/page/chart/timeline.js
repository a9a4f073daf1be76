// SPDX-License-Identifier: MIT
// Figures over time, from the intervals of a report: one chart a figure, one axis of time.
import {axisBottom, axisLeft} from "d3-axis";
import {scaleLinear} from "d3-scale";
import {select} from "d3-selection";
import {area, curveStepAfter, line} from "d3-shape";

import {el, replace, section, svg} from "../dom.js";
import {bytes, count, duration} from "../format.js";
import {explain, facts} from "../tooltip.js";

const MARGIN = {left: 76, right: 14, top: 10, bottom: 26};
const HEIGHT = 130;

const CHARTS = [
  {title: "bytes a second", write: bytes, base: 1024, series: [
    {name: "delivered", colour: "#3f7fc4", value: (totals) => totals.delivered_bytes},
    {name: "copied by the CPU", colour: "#cd4a3d", value: (totals) => totals.cpu_copied_bytes}]},
  {title: "switches a second", write: count, series: [
    {name: "voluntary", colour: "#7b88c9", value: (totals) => totals.voluntary_switches},
    {name: "involuntary", colour: "#d8961a", value: (totals) => totals.involuntary_switches}]},
  {title: "system calls a second", write: count, series: [{name: "system calls", colour: "#2d7f74", value: (totals) => totals.syscalls}]},
];

function pointsOf(intervals) {
  let at = 0;
  return intervals.map((interval) => {
    const seconds = interval.duration_ns / 1e9;
    const point = {at, until: at + seconds, seconds, totals: interval.totals, started: interval.started_at};
    at += seconds;
    return point;
  });
}

// The largest power of `base` that is not above `value`, so that ticks are round in its unit.
const unitOf = (value, base) => (base ? base ** Math.floor(Math.log(Math.max(1, value)) / Math.log(base)) : 1);

function chart({title, write, base, series}, points, width) {
  const end = points[points.length - 1].until;
  const x = scaleLinear().domain([0, end]).range([MARGIN.left, width - MARGIN.right]);
  const rates = series.map(({value}) => points.map((point) => (point.seconds > 0 ? value(point.totals) / point.seconds : 0)));
  const most = Math.max(1, ...rates.flat());
  const unit = unitOf(most, base);
  const y = scaleLinear().domain([0, most / unit]).nice(4).range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const ends = (values) => [...points.map((point, i) => [point.at, values[i]]), [end, values[values.length - 1]]];
  const node = svg("svg", {viewBox: `0 0 ${width} ${HEIGHT}`, width: "100%", role: "img", "aria-label": `${title} over time`});
  const axes = svg("g", {class: "axis"});
  select(axes).append("g").attr("transform", `translate(0,${HEIGHT - MARGIN.bottom})`).call(axisBottom(x).ticks(Math.max(2, width / 110)).tickFormat((seconds) => (seconds === 0 ? "0" : duration(seconds * 1e9))).tickSizeOuter(0));
  select(axes).append("g").attr("transform", `translate(${MARGIN.left},0)`).call(axisLeft(y).ticks(4).tickFormat((value) => write(value * unit)).tickSizeOuter(0));
  node.append(axes);
  series.forEach(({colour}, i) => {
    const data = ends(rates[i]);
    if (i === 0) node.append(svg("path", {fill: colour, "fill-opacity": 0.16, d: area().curve(curveStepAfter).x((point) => x(point[0])).y0(y(0)).y1((point) => y(point[1] / unit))(data)}));
    node.append(svg("path", {fill: "none", stroke: colour, "stroke-width": 1.8, d: line().curve(curveStepAfter).x((point) => x(point[0])).y((point) => y(point[1] / unit))(data)}));
  });
  points.forEach((point, p) => node.append(explain(
    svg("rect", {class: "hit", x: x(point.at), y: MARGIN.top, width: Math.max(1, x(point.until) - x(point.at)), height: HEIGHT - MARGIN.top - MARGIN.bottom}),
    () => facts(`${duration(point.at * 1e9)} to ${duration(point.until * 1e9)}`, series.map(({name}, i) => [`${name} a second`, write(rates[i][p])])))));
  return el("div", {class: "chart"}, el("h3", {}, title),
    series.length > 1 && el("ul", {class: "legend"}, series.map(({name, colour}) => el("li", {}, el("span", {class: "swatch", style: {"background-color": colour}}), name))), node);
}

export function timelineSection(report) {
  const points = pointsOf((report.intervals ?? []).filter((interval) => interval.totals));
  if (points.length < 2) return null;
  const frame = el("div", {class: "charts"});
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.round(frame.clientWidth) || 960;
    if (Math.abs(width - drawn) < 2) return;
    drawn = width;
    replace(frame, CHARTS.map((one) => chart(one, points, width)));
  }).observe(frame);
  return section("timeline", "Over time", frame);
}
