// SPDX-License-Identifier: MIT
// The page of compare: the verdict first, then the measurements behind it.
import {el, section} from "../dom.js";
import {bytes, copies, percent, plural} from "../format.js";
import {completenessSection} from "../report/completeness.js";
import {profileSection} from "../report/profile.js";
import {rowColumns} from "../report/rows.js";
import {circumstances} from "../report/summary.js";
import {table} from "../table.js";
import {printable, shortened} from "../text.js";
import {methodsSection, rowsOf} from "./methods.js";

function header(report) {
  const verdict = printable(report.insights[0] ?? `No ${rowsOf(report).one} could be timed.`);
  document.title = `${shortened(verdict, 80)} – zctrace compare`;
  const {source, sink, precision} = report;
  return el("header", {id: "summary"}, el("h1", {}, el("bdi", {}, verdict)),
    el("p", {class: "subline"}, [
      source && `${bytes(source.bytes)} from ${printable(source.kind)} to ${printable(sink.kind)}`,
      source?.filesystem && printable(source.filesystem),
      plural(report.rounds, "interleaved round", "interleaved rounds"),
      precision?.reached !== null && precision?.reached !== undefined && `medians known to ± ${percent(precision.reached)}`,
      report.interrupted_by && `interrupted by ${printable(report.interrupted_by)}`].filter(Boolean).join(" · ")),
    circumstances(report));
}

function list(id, title, sentences, kind) {
  return sentences.length > 0 && section(id, title, el("ul", {class: `sentences ${kind}`}, sentences.map((sentence) => el("li", {}, printable(sentence)))));
}

const FIGURES = [["cpu_copies", "CPU copies"], ["dma_copies", "DMA copies"], ["syscalls_per_chunk", "system calls"],
  ["crossings_per_chunk", "crossings"], ["context_switches_per_chunk", "switches"]];

function textbookLine(line) {
  const cells = (figures) => FIGURES.map(([key]) => el("td", {class: "number"}, figures[key] === null || figures[key] === undefined ? "–" : copies(figures[key])));
  return [
    el("tr", {class: "claimed"}, el("th", {scope: "row"}, `${printable(line.line)}, textbook`), cells(line.textbook)),
    line.measured.map((measured) => el("tr", {}, el("th", {scope: "row", class: "measured"}, printable(measured.label)), cells(measured))),
    line.measured.length === 0 && el("tr", {}, el("th", {scope: "row", class: "measured"}, "not measured"), FIGURES.map(() => el("td", {class: "number"}, "–"))),
    line.why.length > 0 && el("tr", {class: "why"}, el("td", {colspan: FIGURES.length + 1}, line.why.map(printable).join("; "))),
  ];
}

function textbookSection(report) {
  if (!report.textbook) return null;
  return section("textbook", "The textbook, and what was measured",
    el("p", {class: "note"}, "Copies for each byte; system calls, crossings and switches for each chunk."),
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Textbook"}, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "method"), FIGURES.map(([, title]) => el("th", {scope: "col", class: "number"}, title)))),
      el("tbody", {}, report.textbook.lines.map(textbookLine)))),
    report.textbook.notes.map((note) => el("p", {class: "note"}, printable(note))));
}

function callsSection(report) {
  const counted = report.methods.filter((method) => method.rows?.length > 0);
  if (counted.length === 0) return null;
  return section("calls", `Calls of each ${rowsOf(report).one}`, el("p", {class: "note"}, "From the counting pass, which runs with probes and is not timed."),
    counted.map((method) => el("details", {}, el("summary", {}, printable(method.label)),
      table(method.rows, rowColumns(method.rows, true), {label: `Calls of ${method.label}`, noun: ["row", "rows"], sort: 2}),
      profileSection(method))));
}

export function comparePage(report) {
  return [
    header(report),
    methodsSection(report),
    list("insights", "What else the figures say", report.insights.slice(1), "insights"),
    list("warnings", "Warnings", report.warnings, "warnings"),
    textbookSection(report),
    callsSection(report),
    completenessSection(report.completeness),
  ];
}
