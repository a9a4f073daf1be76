// SPDX-License-Identifier: MIT
// From where in the programs bytes were moved (--stacks): a flame graph. A frame is as wide as its
// bytes, its callers are below it. Arrow keys move, Enter shows a frame at full width.
import {hierarchy, partition} from "d3-hierarchy";

import {el, replace, section, uniqueId} from "../dom.js";
import {bytes, count, percent, plural} from "../format.js";
import {printable} from "../text.js";
import {explain, facts} from "../tooltip.js";

const LINE = 19; // pixels
const NARROWEST = 0.0008; // of the width
const KINDS = {all: "everything", process: "process", user: "the program and its libraries", call: "system call", kernel: "kernel"};

// Where a frame is if `top` has the full width. null: outside, or too narrow.
function place(frame, top) {
  const width = top.x1 - top.x0;
  if (frame.depth < top.depth) return top.ancestors().includes(frame) ? {left: 0, width: 1} : null;
  const left = (frame.x0 - top.x0) / width;
  const part = (frame.x1 - frame.x0) / width;
  return left < -1e-9 || left + part > 1 + 1e-9 || part < NARROWEST ? null : {left, width: part};
}

// The frames as a tree. In the list each comes after its caller.
function callTree(frames) {
  const nodes = frames.map((frame) => ({...frame, children: []}));
  nodes.slice(1).forEach((node) => nodes[node.parent].children.push(node));
  return nodes[0];
}

export function flameSection(report) {
  const {stacks} = report;
  if (!stacks) return null;
  const tree = hierarchy(callTree(stacks.frames), (frame) => frame.children)
    .each((node) => { node.value = node.data.samples; });
  partition()(tree);
  const all = tree.descendants();
  const height = (Math.max(...all.map((frame) => frame.depth)) + 1) * LINE;
  const box = el("div", {class: "flame", role: "group", "aria-label": "Flame graph; arrow keys move, Enter enlarges, Escape shows everything", style: {height: `${height}px`}});
  const status = el("p", {class: "status", role: "status"});
  const reset = el("button", {type: "button", class: "more", hidden: true, onclick: () => show(tree)}, "Show everything");
  let top = tree;
  let needle = "";
  const nodes = new Map();

  const about = (frame) => facts(printable(frame.data.name), [
    ["is", KINDS[frame.data.kind] ?? printable(frame.data.kind)],
    ["bytes", `${bytes(frame.data.bytes)} ± ${bytes(frame.data.margin_bytes)}`],
    ["of all", percent(frame.data.samples / tree.data.samples)],
    top !== tree && frame.depth >= top.depth && ["of what is shown", percent(frame.data.samples / top.data.samples)],
    ["samples", count(frame.data.samples)]]);

  function focus(frame) {
    const node = frame && nodes.get(frame);
    if (!node) return;
    for (const other of nodes.values()) other.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
    node.focus();
  }

  function move(event, frame) {
    const beside = (frame.parent?.children ?? []).filter((one) => nodes.has(one));
    const to = {ArrowUp: () => (frame.children ?? []).filter((one) => nodes.has(one)).sort((one, other) => other.value - one.value)[0],
      ArrowDown: () => frame.parent, ArrowLeft: () => beside[beside.indexOf(frame) - 1], ArrowRight: () => beside[beside.indexOf(frame) + 1]}[event.key];
    if (to) focus(to());
    else if (event.key === "Enter" || event.key === " ") show(frame, true);
    else if (event.key === "Escape" && top !== tree) show(tree, true);
    else return;
    event.preventDefault();
  }

  function mark() {
    let found = 0;
    for (const [frame, node] of nodes) {
      const matches = needle !== "" && frame.data.name.toLowerCase().includes(needle);
      node.classList.toggle("found", matches);
      // A function that calls itself counts once.
      if (matches && !frame.ancestors().slice(1).some((one) => one.data.name.toLowerCase().includes(needle))) found += frame.data.samples;
    }
    status.textContent = needle === "" ? "" : `${percent(found / top.data.samples)} of what is shown`;
  }

  function show(frame, keep) {
    top = frame;
    nodes.clear();
    for (const one of all) {
      const at = place(one, top);
      if (!at) continue;
      nodes.set(one, explain(el("div", {class: `frame ${one.data.kind}${one.depth < top.depth ? " outside" : ""}`, tabindex: one === top ? "0" : "-1", role: "button",
        "aria-label": `${printable(one.data.name)}, ${bytes(one.data.bytes)}, ${percent(one.data.samples / tree.data.samples)}`,
        style: {left: `${at.left * 100}%`, width: `${at.width * 100}%`, bottom: `${one.depth * LINE}px`},
        onclick: () => show(one), onkeydown: (event) => move(event, one)}, el("bdi", {}, printable(one.data.name))), () => about(one)));
    }
    replace(box, [...nodes.values()]);
    reset.hidden = top === tree;
    mark();
    if (keep) focus(top);
  }

  show(tree);
  const search = uniqueId("search");
  return section("flame", "Where in the programs",
    el("ul", {class: "legend"}, ["process", "user", "call", "kernel"].map((kind) => el("li", {}, el("span", {class: `swatch frame-${kind}`}), KINDS[kind]))),
    el("div", {class: "controls"}, el("label", {for: search}, "Find "),
      el("input", {id: search, type: "search", autocomplete: "off", spellcheck: "false", oninput: (event) => { needle = event.target.value.toLowerCase(); mark(); }}), status),
    box, reset,
    el("p", {class: "note"}, `${plural(stacks.samples, "sample", "samples")}, one for each ${bytes(stacks.every_bytes)} moved. A frame is as wide as the bytes that it or what it called moved.`,
      stacks.left_out > 0 && ` ${plural(stacks.left_out, "frame", "frames")} with the fewest bytes ${stacks.left_out === 1 ? "is" : "are"} not on this page.`));
}
