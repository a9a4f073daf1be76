// SPDX-License-Identifier: MIT
// Files, peers and ports (--by file, --by peer, --by port).
import {section} from "../dom.js";
import {bytes, count} from "../format.js";
import {table} from "../table.js";
import {name, shortened} from "../text.js";
import {missing} from "./processes.js";
import {copiesCell} from "./flow.js";

const size = (title, key, help) => ({title, number: true, value: (item) => item[key], cell: (item) => bytes(item[key]), help});
const copied = (moved) => ({title: "copies a byte", number: true, value: (item) => (moved(item) > 0 ? item.cpu_copied_bytes / moved(item) : null),
  cell: (item) => (moved(item) > 0 ? copiesCell(item.cpu_copied_bytes, moved(item)) : "–"), help: "CPU copies by the calls that had it at either end, for each byte"});
const users = {title: "processes", number: true, value: (item) => item.processes.length, cell: (item) => count(item.processes.length)};

const fileName = (file) => file.path ?? `inode ${file.inode} of ${file.device}`;
const filesMoved = (file) => file.read_bytes + file.written_bytes;
const peerName = (peer) => [peer.local ?? "(no address)", peer.remote].filter(Boolean).join(" – ");
const peersMoved = (peer) => peer.sent_bytes + peer.received_bytes;

export function filesSection(report) {
  if (!report.files || report.mount) return null;
  return section("files", "Files", table(report.files, [
    {title: "file", value: fileName, cell: (file) => name(shortened(fileName(file), 90, true), {title: fileName(file)}), wide: true},
    {title: "file system", value: (file) => file.filesystem ?? "unknown", cell: (file) => name(file.filesystem ?? "unknown")},
    size("read", "read_bytes"), size("written", "written_bytes"), copied(filesMoved),
    size("read from disk", "disk_read_bytes", "the rest came from the page cache"), users,
  ], {label: "Files", noun: ["file", "files"], sort: 2, filter: fileName, note: missing(report, "files")}));
}

export function peersSection(report) {
  if (!report.peers || report.peers.length === 0) return null;
  return section("peers", "Peers", table(report.peers, [
    {title: "peer", value: peerName, cell: (peer) => name(shortened(peerName(peer), 90, true), {title: peerName(peer)}), wide: true},
    {title: "protocol", value: (peer) => peer.protocol},
    size("sent", "sent_bytes"), size("received", "received_bytes"), copied(peersMoved),
    {title: "retransmits", number: true, value: (peer) => peer.retransmits, cell: (peer) => count(peer.retransmits), optional: true}, users,
  ], {label: "Peers", noun: ["peer", "peers"], sort: 2, filter: (peer) => `${peerName(peer)} ${peer.protocol}`, note: missing(report, "peers")}));
}

export function portsSection(report) {
  if (!report.ports || report.ports.length === 0) return null;
  return section("ports", "Ports", table(report.ports, [
    {title: "port", value: (port) => port.port, cell: (port) => `${port.protocol} :${port.port}`},
    {title: "as", value: (port) => port.role},
    {title: "peers", number: true, value: (port) => port.peers, cell: (port) => count(port.peers)},
    size("sent", "sent_bytes"), size("received", "received_bytes"), copied(peersMoved), users,
  ], {label: "Ports", noun: ["port", "ports"], sort: 3}));
}
