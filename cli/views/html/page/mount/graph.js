// SPDX-License-Identifier: MIT
// The picture of a mount: files and processes, and between them the daemon, which splices bytes
// within the kernel or copies them through its memory. Which process used which file is not counted.
import {count} from "../format.js";

const MOST = 8;

function largest(items, value, rest) {
  const list = items.map((item) => ({item, bytes: value(item)})).filter(({bytes}) => bytes > 0).sort((one, other) => other.bytes - one.bytes);
  const kept = list.slice(0, list.length > MOST + 1 ? MOST : list.length);
  const others = list.slice(kept.length);
  return others.length === 0 ? kept : [...kept, {others, label: `${count(others.length)} ${rest}`, bytes: others.reduce((sum, one) => sum + one.bytes, 0)}];
}

// Files have their copied bytes by direction in "operations"; processes too.
const READS = ["read", "mmap", "read_or_mmap"];
const WRITES = ["write", "writeback"];

function sums(operations, names) {
  const sum = {bytes: 0, copied: 0, calls: 0, wall: 0};
  for (const name of names) {
    const operation = operations[name];
    if (!operation) continue;
    sum.bytes += operation.bytes ?? 0;
    sum.copied += operation.copied_bytes ?? 0;
    sum.calls += operation.count;
    sum.wall += operation.total_ns ?? 0;
  }
  return sum;
}

// One ribbon for the bytes that were copied, one for those that were spliced.
function split(total) {
  const spliced = total.bytes - total.copied;
  const part = (bytes, copied) => ({...total, bytes, copied, calls: Math.round(total.calls * bytes / total.bytes), wall: null});
  return spliced > 0 && total.copied > 0 ? [part(total.copied, total.copied), part(spliced, 0)] : [total];
}

export function mountGraph(report) {
  const daemon = {id: "user", role: "user", label: "the daemon's memory"};
  const splice = {id: "splice", role: "kernel", label: "spliced"};
  const nodes = new Set();
  const ribbons = [];
  const addAll = (items, names, node, toDaemon, via) => {
    for (const entry of largest(items, (item) => sums(item.operations, names).bytes, node.rest)) {
      const members = entry.others ? entry.others.map(({item}) => item) : [entry.item];
      const total = members.map((item) => sums(item.operations, names)).reduce((one, other) => Object.fromEntries(Object.keys(one).map((key) => [key, one[key] + other[key]])));
      const end = {id: `${node.role}|${node.kind}|${entry.label ?? entry.item.id}`, role: node.role, kind: node.kind, label: entry.label ?? entry.item.label, bytes: total.bytes, others: Boolean(entry.others)};
      nodes.add(end);
      for (const part of split(total)) {
        const middle = part.copied > 0 ? daemon : splice;
        nodes.add(middle);
        ribbons.push({from: toDaemon ? end : middle, to: toDaemon ? middle : end, through: false, via: [via], ...part,
          callsName: "requests", voluntary: null, involuntary: null, legs: []});
      }
    }
  };
  const files = report.files.map((file, i) => ({id: i, label: file.path, operations: file.operations}));
  const processes = [...report.processes.filter((process) => process.fuse).map((process) => ({id: process.pid, label: `${process.name} ${process.pid}`, operations: process.fuse.operations})),
    ...(report.other_processes?.fuse ? [{id: "others", label: "other requesters", operations: report.other_processes.fuse.operations}] : [])];
  addAll(files, READS, {role: "source", kind: "file", rest: "other files"}, true, "read");
  addAll(processes, READS, {role: "sink", kind: "process", rest: "other processes"}, false, "read");
  addAll(processes, WRITES, {role: "source", kind: "process", rest: "other processes"}, true, "write");
  addAll(files, WRITES, {role: "sink", kind: "file", rest: "other files"}, false, "write");
  return {nodes: [...nodes], ribbons: ribbons.sort((one, other) => other.bytes - one.bytes), userTitle: "memory of the daemon"};
}
