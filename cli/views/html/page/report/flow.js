// SPDX-License-Identifier: MIT
// The section with the picture of all processes or of one.
import {ofCopies} from "../colours.js";
import {el, replace, section, uniqueId} from "../dom.js";
import {bytes, copies, count, duration, perByte} from "../format.js";
import {graphOf} from "../flow/graph.js";
import {legsOf} from "../flow/legs.js";
import {picture} from "../flow/picture.js";
import {table} from "../table.js";
import {name, printable, shortened} from "../text.js";

export function copiesCell(copied, moved) {
  const each = perByte(copied, moved);
  return [el("span", {class: "swatch", style: {"background-color": ofCopies(each)}}), copies(each)];
}

// What the picture shows, to read, copy and sort.
export function ribbonTable(graph) {
  return el("details", {class: "as-table"}, el("summary", {}, "The same as a table"),
    table(graph.ribbons, [
      {title: "from", value: (ribbon) => ribbon.from.label, cell: (ribbon) => name(ribbon.from.label), wide: true},
      {title: "to", value: (ribbon) => ribbon.to.label, cell: (ribbon) => name(ribbon.to.label), wide: true},
      {title: "by", value: (ribbon) => ribbon.via.join(", ")},
      {title: "bytes", number: true, value: (ribbon) => ribbon.bytes, cell: (ribbon) => bytes(ribbon.bytes)},
      {title: "calls", number: true, value: (ribbon) => ribbon.calls, cell: (ribbon) => count(ribbon.calls)},
      {title: "copies a byte", number: true, value: (ribbon) => perByte(ribbon.copied, ribbon.bytes), cell: (ribbon) => copiesCell(ribbon.copied, ribbon.bytes)},
      {title: "switches", number: true, value: (ribbon) => (ribbon.voluntary === null ? null : ribbon.voluntary + ribbon.involuntary), cell: (ribbon) => (ribbon.voluntary === null ? "unknown" : count(ribbon.voluntary + ribbon.involuntary))},
      {title: "time", number: true, value: (ribbon) => ribbon.wall, cell: (ribbon) => duration(ribbon.wall)},
    ], {label: "Ribbons of the picture", noun: ["ribbon", "ribbons"], sort: 3}));
}

const HINT = {
  run: "Without names: zctrace run --by file or --by peer shows which files and connections these are.",
  attach: "Without names: zctrace attach --by file or --by peer shows which files and connections these are.",
};

export function flowSection(report) {
  const place = el("div", {class: "flow-place"});
  const selectable = report.processes.filter((process) => process.rows?.length > 0 && !process.tid);
  const selectId = uniqueId("process");
  const show = (pid) => {
    const graph = graphOf(legsOf(report, pid));
    if (graph.ribbons.length === 0) replace(place, el("p", {class: "empty"}, "No bytes moved by calls that this report shows."));
    else replace(place, picture(graph, "Where bytes came from and went to"), ribbonTable(graph));
  };
  show(null);
  const select = selectable.length > 1 && el("div", {class: "controls"},
    el("label", {for: selectId}, "Show "),
    el("select", {id: selectId, onchange: (event) => show(event.target.value === "" ? null : Number(event.target.value))},
      el("option", {value: ""}, "all processes"),
      selectable.map((process) => el("option", {value: process.pid}, shortened(`${printable(process.name)} ${process.pid}`, 60)))));
  return section("flow", "Where the bytes went", select, place, !report.flows && !report.mount && HINT[report.command] && el("p", {class: "note"}, HINT[report.command]));
}
