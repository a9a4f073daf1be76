// SPDX-License-Identifier: MIT
// The head of the page: what happened, in a sentence, and the figures behind it. The figures keep
// the definitions of docs/counting.md.
import {el, section} from "../dom.js";
import {amount, bytes, copies, count, duration, percent, plural, time, UNKNOWN} from "../format.js";
import {commandLine, name, printable, shortened} from "../text.js";

// Too little to say what a GB would take.
const LEAST_FOR_A_GB = 100e6;

// Most of what was received went nowhere: copies for each delivered byte would say nothing.
export function keepsMost(totals) {
  const received = totals.rows.filter((row) => row.to === "user" && row.from !== "user")
    .reduce((sum, row) => sum + row.cpu_copied_bytes, 0);
  return received / 2 > totals.delivered_bytes;
}

function subject(report) {
  if (report.command === "run") {
    const word = report.argv[0]?.split("/").pop();
    return word ? shortened(printable(word), 40) : "The command";
  }
  const names = new Map();
  for (const process of report.processes) names.set(process.name, (names.get(process.name) ?? 0) + 1);
  const [most] = [...names].sort((one, other) => other[1] - one[1]);
  if (!most) return "The targets";
  return names.size === 1 ? shortened(printable(most[0]), 40) : `${shortened(printable(most[0]), 40)} and others`;
}

function times(each) {
  const text = copies(each);
  return {1: "once", 2: "twice"}[text] ?? `${text} times`;
}

function headline(report) {
  const {totals} = report;
  const moved = totals.delivered_bytes;
  const span = duration(report.duration_ns);
  if (moved > 0 && !keepsMost(totals)) {
    const each = totals.cpu_copies_per_byte;
    const copied = each === null ? "" : each === 0 ? "; no CPU copied any of it" : `; the CPU copied each byte ${times(each)}`;
    return `${subject(report)} delivered ${bytes(moved)} in ${span}${copied}`;
  }
  const taken = totals.copied_bytes + totals.in_kernel_bytes;
  if (taken === 0) return `${subject(report)} moved no bytes in ${span}`;
  return `${subject(report)} moved ${bytes(taken)} in ${span} and delivered ${moved === 0 ? "nothing" : bytes(moved)}`;
}

function measuredShare(totals) {
  const all = totals.cpu_copied_bytes + totals.uncopied_bytes;
  return all > 0 ? (totals.cpu_copied_measured_bytes + totals.uncopied_measured_bytes) / all : null;
}

function subline(report) {
  const {totals, completeness} = report;
  const measured = measuredShare(totals);
  const lost = completeness.lost_events;
  return el("p", {class: "subline"}, [
    totals.zero_copy_share !== null && `${percent(totals.zero_copy_share)} zero-copy`,
    totals.kernel_only_share !== null && `${percent(totals.kernel_only_share)} never left the kernel`,
    measured !== null && `${percent(measured)} of the copies measured`,
  ].filter(Boolean).map((part) => [part, " · "]),
  el("span", {class: lost > 0 ? "bad" : null}, `${plural(lost, "event", "events")} lost`));
}

export function circumstances(report) {
  const {host} = report;
  // For run this is the command line of the command, otherwise that of zctrace.
  const words = report.command === "run" ? report.argv : ["zctrace", ...report.argv.slice(1)];
  return el("p", {class: "circumstances"},
    report.argv.length > 0 && [el("code", {}, el("bdi", {}, shortened(commandLine(words), 300))), " "],
    [report.exit_code !== null && report.exit_code !== undefined && `exit status ${report.exit_code}`, time(report.started_at),
      `Linux ${printable(host.kernel)} ${printable(host.arch)}`, plural(host.cpus, "CPU", "CPUs"), `zctrace ${printable(report.version)}`]
      .filter(Boolean).join(" · "));
}

// One figure: `note` says what it is made of, `reason` why it is not known.
export function figure(id, title, value, note, reason) {
  return el("div", {class: `figure${value === UNKNOWN ? " unknown" : ""}`, id: `figure-${id}`},
    el("dt", {}, title), el("dd", {}, el("span", {class: "value"}, value), el("span", {class: "note"}, value === UNKNOWN ? reason ?? "not measured" : note)));
}

function shareBar(share) {
  return share === null ? null : el("span", {class: "meter", "aria-hidden": "true"}, el("span", {style: {width: `${share * 100}%`}}));
}

function figures(report) {
  const {totals} = report;
  const nothing = "nothing was delivered";
  const cpu = totals.user_ns + totals.system_ns;
  const enough = totals.per_gb && totals.delivered_bytes >= LEAST_FOR_A_GB;
  const perGb = (key, write = amount) => (enough ? `${write(totals.per_gb[key])} per GB` : null);
  const most = keepsMost(totals);
  const why = report.unknown ?? {};
  return el("dl", {class: "figures", id: "figures"},
    figure("delivered_bytes", "delivered", bytes(totals.delivered_bytes), "reached a file, socket, pipe or device"),
    figure("cpu_copies_per_byte", "CPU copies a byte", most ? "–" : copies(totals.cpu_copies_per_byte),
      `${bytes(totals.cpu_copied_bytes)} copied${most ? "; less than half of what was received was delivered" : ""}`, nothing),
    figure("zero_copy_share", "zero-copy share", percent(totals.zero_copy_share), ["of it, no CPU copied ", shareBar(totals.zero_copy_share)], nothing),
    figure("kernel_only_share", "kernel-only share", percent(totals.kernel_only_share), ["of it never was in user space ", shareBar(totals.kernel_only_share)], nothing),
    figure("syscalls", "system calls", count(totals.syscalls), [`${count(totals.crossings)} crossings`, perGb("syscalls")].filter(Boolean).join(", ")),
    figure("cpu", "CPU time", duration(cpu), `${duration(totals.user_ns)} user, ${duration(totals.system_ns)} system`),
    figure("switches", "context switches", count(totals.voluntary_switches + totals.involuntary_switches),
      `${count(totals.voluntary_switches)} voluntary, ${count(totals.involuntary_switches)} involuntary`),
    figure("disk_read_bytes", "read from disk", bytes(totals.disk_read_bytes), "the rest came from memory", why.disk_read_bytes && printable(why.disk_read_bytes)),
    figure("dirtied_bytes", "made dirty", bytes(totals.dirtied_bytes), "pages to be written to disk", why.dirtied_bytes && printable(why.dirtied_bytes)),
    figure("max_rss_bytes", "peak memory", bytes(totals.max_rss_bytes), "the largest RSS of a process"));
}

export function summary(report) {
  const title = headline(report);
  document.title = `${title} – zctrace`;
  return el("header", {id: "summary"}, el("h1", {}, el("bdi", {}, title)), subline(report), circumstances(report), figures(report));
}

export function processName(process) {
  return [name(process.name), " ", el("span", {class: "pid"}, process.tid ? `${process.pid}/${process.tid}` : String(process.pid))];
}

// Figures that are null in the report, each with its reason.
export function unknowns(report) {
  const reasons = Object.entries(report.unknown ?? {});
  if (reasons.length === 0) return null;
  return section("unknown", "Not known", el("dl", {class: "plain"}, reasons.map(([key, reason]) => [el("dt", {}, el("code", {}, printable(key))), el("dd", {}, printable(reason))])));
}
