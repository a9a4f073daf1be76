// SPDX-License-Identifier: MIT
// Reads the report that is embedded in the page, and shows it.
import {comparePage} from "./compare/page.js";
import {el, replace} from "./dom.js";
import {mountPage, mountSections} from "./mount/page.js";
import {reportPage} from "./report/page.js";

const report = JSON.parse(document.getElementById("report").textContent);

function pageOf() {
  if (report.command === "compare") return comparePage(report);
  if (report.command === "mount") return mountPage(report);
  const page = reportPage(report);
  return report.mount ? [...page.slice(0, 2), ...mountSections(report), ...page.slice(2)] : page;
}

replace(document.getElementById("page"), pageOf(),
  el("footer", {}, "Made by zctrace. The definitions of all figures are in docs/counting.md. This page needs no network, and holds the figures that it shows as JSON."));
document.documentElement.dataset.ready = "true";
