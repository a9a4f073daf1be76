// SPDX-License-Identifier: MIT
// Shows the report that is embedded in the page, or those that a server has.
import {comparePage} from "./compare/page.js";
import {el, replace} from "./dom.js";
import {live} from "./live.js";
import {mountPage, mountSections} from "./mount/page.js";
import {reportPage} from "./report/page.js";

const report = JSON.parse(document.getElementById("report").textContent);

function pageOf(report) {
  if (report.command === "compare") return comparePage(report);
  if (report.command === "mount") return mountPage(report);
  const page = reportPage(report);
  return report.mount ? [...page.slice(0, 2), ...mountSections(report), ...page.slice(2)] : page;
}

function draw(report, note) {
  replace(document.getElementById("page"), pageOf(report),
    el("footer", {}, `Made by zctrace. The definitions of all figures are in docs/counting.md. ${note}`));
  document.documentElement.dataset.ready = "true";
}

if (report === null)
  live((latest) => draw(latest, "The figures are those of /api/report."));
else
  draw(report, "This page needs no network, and holds the figures that it shows as JSON.");
