// SPDX-License-Identifier: MIT
// Numbers as the terminal's tables write them (cli/text/units.cpp). A figure that is null is not
// known and never written as 0.

export const UNKNOWN = "unknown";

const known = (write) => (value) => (value === null || value === undefined ? UNKNOWN : write(value));

export const count = known((value) => Math.round(value).toLocaleString("en-US"));

export const bytes = known((value) => {
  if (value < 1024) return `${Math.round(value)} B`;
  const names = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let amount = value / 1024;
  let unit = 0;
  for (; amount >= 1023.95 && unit + 1 < names.length; unit += 1) amount /= 1024;
  return `${amount.toFixed(1)} ${names[unit]}`;
});

export const duration = known((ns) => {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  const names = ["µs", "ms", "s"];
  let value = ns / 1e3;
  let unit = 0;
  for (; value >= 999.5 && unit + 1 < names.length; unit += 1) value /= 1e3;
  if (unit === 2 && value >= 59.95) {
    const seconds = Math.round(ns / 1e9);
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
    const minutes = Math.floor(seconds / 60);
    return `${count(Math.floor(minutes / 60))}h ${String(minutes % 60).padStart(2, "0")}m`;
  }
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${names[unit]}`;
});

// 100.0% only if it is all.
export const percent = known((share) =>
  share > 0 && share < 0.001 ? "<0.1%" : `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)}%`);

export const copies = known((each) => {
  if (each === 0) return "0";
  if (each < 0.005) return "<0.01";
  return each.toFixed(2).replace(/\.00$/, "");
});

export const amount = known((value) => (value >= 9.5 ? count(value) : String(Number(value.toPrecision(2)))));

export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function perByte(copied, moved) {
  return moved > 0 ? copied / moved : null;
}

// "2026-11-29 05:51:42 UTC"
export function time(rfc3339) {
  return rfc3339.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
}
