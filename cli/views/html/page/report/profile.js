// SPDX-License-Identifier: MIT
// Where the CPU time went: the classes of --profile, for all and for each row.
import {CLASSES, UNKNOWN_COLOUR} from "../colours.js";
import {el, section} from "../dom.js";
import {count, duration, percent} from "../format.js";
import {printable} from "../text.js";
import {explain, facts} from "../tooltip.js";

const MOST_ROWS = 8;
const title = (name) => printable(name).replaceAll("_", " ");

function bar(profile) {
  const parts = Object.entries(profile.share).filter(([, share]) => share > 0);
  return el("div", {class: "stack"}, parts.map(([name, share]) => explain(
    el("span", {tabindex: "0", role: "img", "aria-label": `${title(name)} ${percent(share)}`, style: {"flex-grow": String(share), "background-color": CLASSES[name] ?? UNKNOWN_COLOUR}}),
    () => facts(title(name), [["share", `${percent(share)} ± ${percent(profile.margin)}`], ["samples", count(Math.round(share * profile.samples))]]))));
}

function line(label, profile) {
  return el("tr", {}, el("th", {scope: "row"}, label), el("td", {class: "number"}, count(profile.samples)),
    el("td", {class: "number"}, duration(profile.samples / profile.hz * 1e9)),
    el("td", {class: "stack-cell"}, profile.share ? bar(profile) : "unknown: no samples"));
}

export function profileSection(owner) {
  const profile = owner.cpu_profile;
  if (!profile) return null;
  const rows = owner.rows.filter((row) => row.cpu_profile?.samples > 0)
    .sort((one, other) => other.cpu_profile.samples - one.cpu_profile.samples).slice(0, MOST_ROWS);
  const shares = Object.entries(profile.share ?? {}).filter(([, share]) => share > 0).sort((one, other) => other[1] - one[1]);
  return section("profile", "Where the CPU time went",
    shares.length > 0 && el("ul", {class: "legend"}, shares.map(([name, share]) => el("li", {},
      el("span", {class: "swatch", style: {"background-color": CLASSES[name] ?? UNKNOWN_COLOUR}}), `${title(name)} ${percent(share)}`))),
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "CPU profile"}, el("table", {class: "profile"},
      el("thead", {}, el("tr", {}, ["", "samples", "about", "share"].map((head, i) => el("th", {scope: "col", class: i === 1 || i === 2 ? "number" : null}, head)))),
      el("tbody", {}, line("all", profile), rows.map((row) => line(el("span", {}, el("code", {}, printable(row.syscall)), row.copy === "none" ? "" : ` ${row.from} → ${row.to}`), row.cpu_profile))))),
    el("p", {class: "note"}, `Sampled ${count(profile.hz)} times a second; each share of all is known to ± ${percent(profile.margin)}.`));
}
