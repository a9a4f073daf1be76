// SPDX-License-Identifier: MIT
// The page of run and attach.
import {timelineSection} from "../chart/timeline.js";
import {adviceSection} from "./advice.js";
import {filesSection, peersSection, portsSection} from "./channels.js";
import {completenessSection} from "./completeness.js";
import {flameSection} from "./flame.js";
import {flowSection} from "./flow.js";
import {processesSection} from "./processes.js";
import {profileSection} from "./profile.js";
import {rowsSection} from "./rows.js";
import {summary, unknowns} from "./summary.js";

export function reportPage(report) {
  return [
    summary(report),
    flowSection(report),
    adviceSection(report),
    timelineSection(report),
    rowsSection(report),
    profileSection(report.totals),
    flameSection(report),
    filesSection(report),
    portsSection(report),
    peersSection(report),
    processesSection(report),
    completenessSection(report.completeness),
    unknowns(report),
  ];
}
