// SPDX-License-Identifier: MIT
// Where nodes and ribbons are: d3-sankey finds their heights and places, with user space on top.
import {sankey} from "../../d3-sankey/index.js";

const GAP = 38; // between nodes: two lines of text
const NODE = 10;
const USER_HALF = 74; // half the width of user space, where ribbons run straight

// Which part of a node's bytes is in user space decides its place, so that few ribbons cross.
function heightOf(node, ribbons) {
  let user = 0;
  let all = 0;
  for (const ribbon of ribbons) {
    if (ribbon.from !== node && ribbon.to !== node) continue;
    all += ribbon.bytes;
    if (!ribbon.through && (ribbon.from.role === "user" || ribbon.to.role === "user")) user += ribbon.bytes;
  }
  return all === 0 ? 0 : user / all;
}

function placesOf(graph) {
  const places = new Map();
  for (const node of graph.nodes) {
    const bytes = graph.ribbons.filter((ribbon) => ribbon.from === node || ribbon.to === node).reduce((sum, ribbon) => sum + ribbon.bytes, 0);
    places.set(node.id, {user: heightOf(node, graph.ribbons), bytes: node.bytes ?? bytes, others: Boolean(node.others), level: null});
  }
  return places;
}

function order(places) {
  const rank = (node) => (node.role === "user" ? 0 : 1);
  return (one, other) => {
    if (rank(one) !== rank(other)) return rank(one) - rank(other);
    const [a, b] = [places.get(one.id) ?? one.place, places.get(other.id) ?? other.place];
    const outer = one.role === "source" || one.role === "sink";
    if (outer && a.level !== null && b.level !== null && Math.abs(a.level - b.level) > 1) return a.level - b.level;
    return b.user - a.user || Number(a.others) - Number(b.others) || b.bytes - a.bytes;
  };
}

// The mean height of a node's neighbours.
function levelOf(node) {
  const ends = [...node.sourceLinks.map((link) => [link.y1, link.value]), ...node.targetLinks.map((link) => [link.y0, link.value])];
  const weight = ends.reduce((sum, [, value]) => sum + value, 0);
  return ends.reduce((sum, [y, value]) => sum + y * value, 0) / weight;
}

// Columns from left to right, of the roles that there are.
function layersOf(graph, middles) {
  const has = (role) => graph.nodes.some((node) => node.role === role);
  const pipesAfterUser = graph.ribbons.some((ribbon) => ribbon.from.role === "user" && ribbon.to.role === "pipe");
  const columns = [["source"], pipesAfterUser ? ["user", "through", "kernel"] : ["user", "through", "kernel", "pipe"], pipesAfterUser ? ["pipe"] : [], ["sink"]]
    .filter((roles) => roles.some((role) => has(role) || (role === "through" && middles.length > 0)));
  return Object.fromEntries(columns.flatMap((roles, i) => roles.map((role) => [role, i])));
}

// Puts nodes where their roles belong; returns {nodes, ribbons, userSpace, height}. A ribbon gets
// `points`: [x, y] from left to right, and `width`.
export function layout(graph, {width, side, narrow}) {
  const middles = [];
  const links = [];
  const joints = new Map();
  for (const ribbon of graph.ribbons) {
    if (!ribbon.through) {
      links.push({source: ribbon.from.id, target: ribbon.to.id, value: ribbon.bytes, ribbon, part: "whole"});
      continue;
    }
    const id = ribbon.joint ? `joint|${ribbon.joint}` : `through|${middles.length}`;
    if (!joints.has(id)) {
      joints.set(id, {id, role: "through", place: {user: 0, bytes: 0, others: false}});
      middles.push(joints.get(id));
    }
    joints.get(id).place.bytes += ribbon.bytes;
    links.push({source: ribbon.from.id, target: id, value: ribbon.bytes, ribbon, part: "in"});
    links.push({source: id, target: ribbon.to.id, value: ribbon.bytes, ribbon, part: "out"});
  }
  const hasUser = graph.nodes.some((node) => node.role === "user");
  const top = (hasUser ? 52 : 92) + (narrow ? 30 : 0); // labels are above their nodes there
  const inColumn = (role) => graph.nodes.filter((node) => node.role === role).length;
  const middle = middles.length + inColumn("user") + inColumn("kernel") + inColumn("pipe");
  const most = Math.max(inColumn("source"), inColumn("sink"), middle, 1);
  const height = top + Math.max(190, Math.min(1000, most * (GAP + 22))) + 24;
  const places = placesOf(graph);
  const layers = layersOf(graph, middles);
  const lay = () => sankey().nodeId((node) => node.id).nodeWidth(NODE).nodePadding(GAP).iterations(24)
    .nodeAlign((node, depth) => Math.min(layers[node.role], depth - 1)).nodeSort(order(places))
    .extent([[side, top], [width - side, height - 24]])({
      nodes: [...graph.nodes, ...middles].map((node) => ({...node})),
      links: links.map((link) => ({...link})),
    });
  // A second time, with each outer node level with what it is connected to.
  for (const node of lay().nodes) if (places.has(node.id)) places.get(node.id).level = levelOf(node);
  const laid = lay();
  const centre = width / 2;
  const room = width - 2 * side;
  const half = Math.min(USER_HALF, room * 0.16);
  for (const node of laid.nodes) {
    if (node.role === "source") [node.x0, node.x1] = [side, side + NODE];
    else if (node.role === "sink") [node.x0, node.x1] = [width - side - NODE, width - side];
    else if (node.role === "kernel") [node.x0, node.x1] = [centre - half, centre + half];
    else if (node.role === "pipe") [node.x0, node.x1] = [centre + half * 0.2, centre + half * 0.2 + NODE];
    else [node.x0, node.x1] = [centre - half, centre + half];
  }
  for (const link of laid.links) {
    const {ribbon} = link;
    ribbon.width = Math.max(1.5, link.width);
    const enter = [[link.source.x1, link.y0], [link.target.x0, link.y1]];
    if (link.part === "whole") ribbon.points = [enter];
    else if (link.part === "in") ribbon.enter = enter;
    else ribbon.leave = enter;
  }
  for (const ribbon of graph.ribbons) if (ribbon.through) ribbon.points = [ribbon.enter, ribbon.leave];
  const user = laid.nodes.find((node) => node.role === "user");
  const bottom = Math.max(...laid.nodes.map((node) => node.y1)) + (inColumn("pipe") > 0 ? 44 : 26);
  return {
    nodes: laid.nodes.filter((node) => node.role !== "through"),
    userSpace: {x0: side + NODE + room * 0.2, x1: width - side - NODE - room * 0.2, y0: 8, y1: user ? user.y1 + 12 : 56, used: Boolean(user)},
    height: Math.max(bottom, 140),
  };
}
