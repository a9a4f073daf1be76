// SPDX-License-Identifier: MIT
// Legs to nodes and ribbons: sources, the user space in the middle, sinks. Pipes that bytes are
// spliced through are on the way, too.
import {count, plural} from "../format.js";

const MOST_ENDS = 8; // on each side; the others are one node
const SMALL = 0.04; // share of the bytes of all files, below which a file is shown with its directory
const MOST_THROUGH = 12; // ribbons that pass through the kernel; more are joined by their call

const KINDS = {
  file: ["file", "files"], socket: ["socket", "sockets"], pipe: ["pipe", "pipes"], device: ["device", "devices"],
  fuse: ["FUSE file", "FUSE files"], memory: ["memory of another process", "memory of other processes"],
  other: ["other descriptor", "other descriptors"],
};

const kindName = (kind, number = 2) => (KINDS[kind] ?? [kind, kind])[number === 1 ? 0 : 1];
const isUser = (end) => end.kind === "user";
const channelOf = (end) => `${end.kind}|${end.name ?? ""}`;

// Pipes that the kernel both fills and empties.
function pipesOnTheWay(legs) {
  const filled = new Set();
  const emptied = new Set();
  for (const leg of legs) {
    if (leg.copy === "copied" || (leg.from.kind === "pipe" && leg.to.kind === "pipe")) continue;
    if (leg.to.kind === "pipe") filled.add(channelOf(leg.to));
    if (leg.from.kind === "pipe" && !isUser(leg.to)) emptied.add(channelOf(leg.from));
  }
  return new Set([...filled].filter((pipe) => emptied.has(pipe)));
}

// "127.0.0.1:80 - 10.0.0.1:5123" at a server is one of many peers of 127.0.0.1:80.
function joinedPeers(ends) {
  const sides = ends.map((end) => end.name?.split(" - ") ?? []);
  const distinct = (side) => new Set(sides.map((pair) => pair[side])).size;
  const side = distinct(1) < distinct(0) ? 1 : 0;
  const joined = new Map();
  ends.forEach((end, i) => {
    if (end.name !== null && sides[i].length === 2) joined.set(channelOf(end), sides[i][side]);
  });
  return joined;
}

// Small files of one directory are one node where there are too many files to show each.
function joinedFiles(weights) {
  const files = weights.filter(({end}) => end.kind === "file" && end.name?.includes("/"));
  const joined = new Map();
  if (files.length <= MOST_ENDS) return joined;
  const small = files.reduce((sum, {bytes}) => sum + bytes, 0) * SMALL;
  for (const {end, bytes} of files)
    if (bytes < small) joined.set(channelOf(end), end.name.slice(0, end.name.lastIndexOf("/")) || "/");
  return joined;
}

// Which node each end of one side belongs to: its own, its address's or directory's, or the sum of
// the others.
function placesOf(side, legs, pipes) {
  const weights = new Map();
  for (const leg of legs) {
    const end = side === "source" ? leg.from : leg.to;
    if (isUser(end) || onTheWay(leg, side, pipes)) continue;
    const key = channelOf(end);
    const known = weights.get(key) ?? {end, bytes: 0};
    known.bytes += leg.bytes;
    weights.set(key, known);
  }
  const all = [...weights.values()];
  const sockets = all.map(({end}) => end).filter((end) => end.kind === "socket");
  const peers = sockets.length > MOST_ENDS / 2 ? joinedPeers(sockets) : new Map();
  const joined = new Map([...peers, ...joinedFiles(all)]);
  const nodes = new Map();
  for (const {end, bytes} of all) {
    const shared = joined.get(channelOf(end));
    const id = `${side}|${shared ? `${end.kind}s|${shared}` : channelOf(end)}`;
    const node = nodes.get(id) ?? {id, role: side, kind: end.kind, name: shared ?? end.name, shared: Boolean(shared), bytes: 0, ends: [], rest: end.rest};
    node.bytes += bytes;
    node.ends.push(channelOf(end));
    nodes.set(id, node);
  }
  const largest = [...nodes.values()].sort((one, other) => other.bytes - one.bytes);
  const kept = largest.length > MOST_ENDS + 1 ? largest.slice(0, MOST_ENDS) : largest;
  const others = new Map();
  for (const node of largest.slice(kept.length)) {
    const id = `${side}|others|${node.kind}`;
    const other = others.get(id) ?? {id, role: side, kind: node.kind, name: null, bytes: 0, ends: [], others: true};
    other.bytes += node.bytes;
    other.ends.push(...node.ends);
    others.set(id, other);
  }
  const places = new Map();
  for (const node of [...kept, ...others.values()]) {
    node.label = labelOf(node);
    for (const channel of node.ends) places.set(channel, node);
  }
  return places;
}

function onTheWay(leg, side, pipes) {
  const end = side === "source" ? leg.from : leg.to;
  if (leg.copy === "copied" || end.kind !== "pipe" || !pipes.has(channelOf(end))) return false;
  return leg.from.kind !== "pipe" || leg.to.kind !== "pipe";
}

function labelOf(node) {
  if (node.others) return `${count(node.ends.length)} other ${kindName(node.kind, node.ends.length)}`;
  if (node.name === null) return node.rest ? `${kindName(node.kind)}, not attributed` : kindName(node.kind);
  if (node.shared && node.kind === "file") return `${node.name} (${plural(node.ends.length, "file", "files")})`;
  if (node.shared && node.ends.length > 1) return `${node.name}, ${plural(node.ends.length, "peer", "peers")}`;
  return node.name;
}

function add(ribbons, key, ribbon, leg) {
  const known = ribbons.get(key) ?? {...ribbon, bytes: 0, copied: 0, calls: 0, voluntary: 0, involuntary: 0, wall: 0, legs: []};
  for (const figure of ["bytes", "copied", "calls", "voluntary", "involuntary"]) known[figure] += leg[figure];
  known.wall = leg.wall === null || known.wall === null ? null : known.wall + leg.wall;
  known.legs.push(leg);
  ribbons.set(key, known);
}

const USER = {id: "user", role: "user", label: "user space"};

// {nodes, ribbons}. A ribbon has `from`, `to` (nodes), `through` (true: it passes through the
// kernel), `via` (names of calls), the sums of its legs, and the legs.
export function graphOf(legs) {
  const pipes = pipesOnTheWay(legs);
  const sources = placesOf("source", legs, pipes);
  const sinks = placesOf("sink", legs, pipes);
  const middle = new Map();
  const pipeNode = (end) => {
    const id = `pipe|${channelOf(end)}`;
    if (!middle.has(id)) middle.set(id, {id, role: "pipe", kind: "pipe", name: end.name, label: end.name ?? "pipe"});
    return middle.get(id);
  };
  const nodeOf = (leg, side) => {
    const end = side === "source" ? leg.from : leg.to;
    if (isUser(end)) return USER;
    if (onTheWay(leg, side, pipes)) return pipeNode(end);
    return (side === "source" ? sources : sinks).get(channelOf(end));
  };
  const ribbons = new Map();
  for (const leg of legs) {
    const from = nodeOf(leg, "source");
    const to = nodeOf(leg, "sink");
    const through = from.role === "source" && to.role === "sink";
    const key = through ? `${from.id} ${to.id} ${leg.syscall}` : `${from.id} ${to.id}`;
    add(ribbons, key, {from, to, through}, leg);
  }
  const all = [...ribbons.values()].sort((one, other) => other.bytes - one.bytes);
  for (const ribbon of all) ribbon.via = [...new Set(ribbon.legs.map((leg) => leg.syscall))].slice(0, 6);
  if (all.filter((ribbon) => ribbon.through).length > MOST_THROUGH) joinByCall(all);
  const nodes = new Set(all.flatMap((ribbon) => [ribbon.from, ribbon.to]));
  return {nodes: [...nodes], ribbons: all};
}

// Too many ribbons to follow: those of one call meet in the middle.
function joinByCall(ribbons) {
  for (const ribbon of ribbons) if (ribbon.through) ribbon.joint = ribbon.via[0];
}
