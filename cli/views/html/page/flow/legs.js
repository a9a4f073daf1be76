// SPDX-License-Identifier: MIT
// The legs of a report: what one call moved from one end to another. An end is a file, a peer or a
// pipe by its name where the report has them (--by file, --by peer), else a kind.

const MOVES = (row) => row.bytes > 0 && row.copy !== "none";
const keyOf = (row) => [row.syscall, row.from.kind ?? row.from, row.to.kind ?? row.to, row.copy].join(" ");

function end(kind, name = null, rest = false) {
  return {kind, name, rest};
}

// Memory of another process (process_vm_readv and its kin) is an end, too.
function withOtherMemory(leg) {
  if (leg.from.kind !== "user" || leg.to.kind !== "user") return leg;
  const other = end("memory");
  return leg.syscall.includes("writev") ? {...leg, to: other} : {...leg, from: other};
}

function legOfRow(row, figures, rest) {
  return {
    syscall: row.syscall, copy: row.copy, evidence: row.copies_evidence,
    from: end(row.from, null, rest), to: end(row.to, null, rest), ...figures,
  };
}

function figuresOf(row) {
  return {
    bytes: row.bytes, copied: row.cpu_copied_bytes, calls: row.calls, wall: row.wall_ns ?? null,
    voluntary: row.voluntary_switches, involuntary: row.involuntary_switches,
  };
}

function added(sum, figures) {
  const result = {};
  for (const [name, value] of Object.entries(figures))
    result[name] = value === null || sum[name] === null ? null : (sum[name] ?? 0) + value;
  return result;
}

function remainder(whole, part) {
  const left = {};
  for (const [name, value] of Object.entries(whole))
    left[name] = value === null || part[name] === null ? null : Math.max(0, value - (part[name] ?? 0));
  return left;
}

// Of one process if `pid` is given. Together the legs have the bytes of the rows.
export function legsOf(report, pid = null) {
  const process = pid === null ? report.totals : report.processes.find((one) => one.pid === pid);
  const rows = (process?.rows ?? []).filter(MOVES);
  const timed = report.latency_measured !== false;
  const clocked = (figures) => (timed ? figures : {...figures, wall: null});
  const flows = (report.flows ?? []).filter((flow) => MOVES(flow) && (pid === null || flow.pid === pid));
  const attributed = new Map();
  const evidence = new Map(rows.map((row) => [keyOf(row), row.copies_evidence]));
  const legs = flows.map((flow) => {
    const key = keyOf(flow);
    const figures = clocked(figuresOf(flow));
    attributed.set(key, added(attributed.get(key) ?? {}, figures));
    return {
      syscall: flow.syscall, copy: flow.copy, evidence: evidence.get(key) ?? null,
      from: end(flow.from.kind, flow.from.name), to: end(flow.to.kind, flow.to.name), ...figures,
    };
  });
  for (const row of rows) {
    const left = remainder(clocked(figuresOf(row)), attributed.get(keyOf(row)) ?? {});
    if (left.bytes > 0) legs.push(legOfRow(row, left, attributed.size > 0));
  }
  return legs.map(withOtherMemory);
}
