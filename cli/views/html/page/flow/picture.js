// SPDX-License-Identifier: MIT
// The picture: sources left, sinks right, ribbons through user space or straight through the kernel.
import {linkHorizontal} from "d3-shape";

import {ofCopies} from "../colours.js";
import {el, replace, svg} from "../dom.js";
import {bytes, copies, count, duration, perByte, plural} from "../format.js";
import {printable, shortened} from "../text.js";
import {explain, facts} from "../tooltip.js";
import {layout} from "./layout.js";

const NARROW = 660;
const LETTER = 7; // average width, pixels

const curve = linkHorizontal();

// A ribbon's middle line: curves to the middle, runs straight there, and curves on.
function lineOf(ribbon) {
  return ribbon.points.map(([source, target], i) => {
    const part = curve({source, target});
    return i === 0 ? part : `L${part.slice(1)}`;
  }).join("");
}

function sentence(ribbon) {
  const each = perByte(ribbon.copied, ribbon.bytes);
  return `${ribbon.via.join(", ")}: ${bytes(ribbon.bytes)} from ${printable(ribbon.from.label)} to ${printable(ribbon.to.label)}, ` +
    `${plural(ribbon.calls, "call", "calls")}, ${copies(each)} CPU copies a byte`;
}

function explanation(ribbon) {
  const each = perByte(ribbon.copied, ribbon.bytes);
  const evidence = [...new Set(ribbon.legs.map((leg) => leg.evidence).filter(Boolean))];
  return facts(`${shortened(printable(ribbon.from.label), 60, true)} → ${shortened(printable(ribbon.to.label), 60, true)}`, [
    ["by", ribbon.via.join(", ")],
    ["bytes", bytes(ribbon.bytes)],
    ["CPU copies a byte", `${copies(each)}${evidence.length ? ` (${evidence.join(", ")})` : ""}`],
    [ribbon.callsName ?? "calls", `${count(ribbon.calls)}, ${bytes(ribbon.bytes / Math.max(1, ribbon.calls))} each`],
    ribbon.voluntary !== null && ["switches in them", `${count(ribbon.voluntary)} voluntary, ${count(ribbon.involuntary)} involuntary`],
    ["time in them", ribbon.wall === null ? "unknown: not measured" : duration(ribbon.wall)],
  ]);
}

function ribbonMark(ribbon) {
  const each = perByte(ribbon.copied, ribbon.bytes);
  const mark = svg("path", {
    class: "ribbon", d: lineOf(ribbon), stroke: ofCopies(each), "stroke-width": ribbon.width.toFixed(2), tabindex: "0",
    role: "img", "aria-label": sentence(ribbon), "data-bytes": ribbon.bytes, "data-via": ribbon.via.join(" "),
  });
  return explain(mark, () => explanation(ribbon));
}

// On a ribbon where it is thick enough, else just above.
function ribbonLabel(ribbon, narrow) {
  if (narrow || !ribbon.points) return null;
  const through = ribbon.points.length === 2;
  const each = perByte(ribbon.copied, ribbon.bytes);
  const inCopies = `${copies(each)} ${each === 1 ? "copy" : "copies"}`;
  if (through) {
    const [x, y] = [(ribbon.points[0][1][0] + ribbon.points[1][0][0]) / 2, ribbon.points[0][1][1]];
    if (ribbon.joint) return null;
    const text = `${ribbon.via.join(", ")}  ${bytes(ribbon.bytes)} · ${plural(ribbon.calls, "call", "calls")} · ${inCopies}`;
    return svg("text", {class: "on-ribbon", x, y: ribbon.width >= 16 ? y + 4 : y - ribbon.width / 2 - 4, "text-anchor": "middle"}, text);
  }
  const [[x0, y0], [x1, y1]] = ribbon.points[0];
  if (ribbon.width < 15 || x1 - x0 < 90) return null;
  // Ribbons are apart at their outer ends.
  const atStart = ribbon.from.role === "source";
  const room = Math.floor((x1 - x0) * 0.8 / LETTER);
  return svg("text", {class: "on-ribbon", x: atStart ? x0 + 9 : x1 - 9, y: (atStart ? y0 : y1) + 4, "text-anchor": atStart ? "start" : "end"},
    shortened(`${shortened(ribbon.via.join(", "), Math.max(6, room - 11))} · ${inCopies}`, room));
}

function nodeMark(node, side, narrow, width) {
  const tall = Math.max(3, node.y1 - node.y0);
  const centre = (node.y0 + node.y1) / 2;
  const shape = svg("rect", {class: `node ${node.role}`, x: node.x0, y: node.y0, width: node.x1 - node.x0, height: tall, rx: node.x1 - node.x0 > 20 ? 6 : 3});
  const amount = `${bytes(node.value)}${node.note ? `, ${node.note}` : ""}`;
  const room = narrow ? Math.floor(width * 0.46 / LETTER) : Math.floor((side - 12) / LETTER);
  const label = shortened(printable(node.label), node.role === "pipe" ? 18 : room, true);
  const text = (x, anchor, y) => svg("text", {x, y, "text-anchor": anchor, class: "label"}, label,
    svg("title", {}, printable(node.label)), svg("tspan", {class: "amount", x, dy: 15}, amount));
  if (node.role === "user") return [shape];
  if (node.role === "kernel") return [shape, tall >= 20 && svg("text", {class: "on-ribbon", x: (node.x0 + node.x1) / 2, y: centre + 4, "text-anchor": "middle"}, label)];
  if (node.role === "pipe") return [shape, svg("text", {class: "label", x: (node.x0 + node.x1) / 2, y: node.y1 + 15, "text-anchor": "middle"}, label)];
  const left = node.role === "source";
  if (narrow) return [shape, text(left ? node.x0 : node.x1, left ? "start" : "end", node.y0 - 20)];
  return [shape, text(left ? node.x0 - 8 : node.x1 + 8, left ? "end" : "start", centre - 2)];
}

function middleLabels(laid, graph, narrow) {
  const {userSpace} = laid;
  const user = laid.nodes.find((node) => node.role === "user");
  const x = (userSpace.x0 + userSpace.x1) / 2;
  const total = (match) => bytes(graph.ribbons.filter(match).reduce((sum, ribbon) => sum + ribbon.bytes, 0));
  const amounts = user ? `${total((ribbon) => ribbon.to.role === "user")} in, ${total((ribbon) => ribbon.from.role === "user")} out`
    : narrow ? "not used" : "no bytes passed through here";
  return [
    svg("text", {class: "zone", x, y: 25, "text-anchor": "middle"}, graph.userTitle ?? "user space"),
    svg("text", {class: "zone", x, y: 41, "text-anchor": "middle"}, amounts),
    svg("text", {class: "zone", x, y: laid.height - 6, "text-anchor": "middle"}, "kernel"),
  ];
}

function legend() {
  const item = (each, text) => el("li", {}, el("span", {class: "swatch", style: {"background-color": ofCopies(each)}}), text);
  return el("ul", {class: "legend", "aria-label": "CPU copies of each byte in these calls"},
    item(0, "0 CPU copies a byte"), item(1, "1"), item(2, "2 and more"));
}

// Draws again when its width changes.
export function picture(graph, description) {
  const frame = el("div", {class: "flow"});
  let drawn = 0;
  function draw() {
    const width = Math.round(frame.clientWidth) || 960;
    if (Math.abs(width - drawn) < 2) return;
    drawn = width;
    const narrow = width < NARROW;
    const side = narrow ? 6 : Math.min(250, Math.max(150, width * 0.2));
    const laid = layout(graph, {width, side, narrow});
    const {userSpace} = laid;
    replace(frame, svg("svg", {viewBox: `0 0 ${width} ${laid.height}`, width: "100%", role: "group", "aria-label": description},
      svg("rect", {class: "user-space", x: userSpace.x0, y: userSpace.y0, width: userSpace.x1 - userSpace.x0, height: userSpace.y1 - userSpace.y0, rx: 10}),
      graph.ribbons.map(ribbonMark),
      laid.nodes.map((node) => nodeMark(node, side, narrow, width)),
      graph.ribbons.map((ribbon) => ribbonLabel(ribbon, narrow)),
      middleLabels(laid, graph, narrow)));
  }
  new ResizeObserver(draw).observe(frame);
  return el("figure", {}, legend(), frame);
}
