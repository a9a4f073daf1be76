// SPDX-License-Identifier: MIT
// One box for all marks of the page. It opens on hover, focus and touch, and closes with Escape.
import {el, replace} from "./dom.js";

let box = null;

function place(x, y) {
  const margin = 12;
  const {width, height} = box.getBoundingClientRect();
  const left = Math.min(Math.max(margin, x + margin), window.innerWidth - width - margin);
  const below = y + margin + height + margin <= window.innerHeight;
  box.style.setProperty("left", `${Math.max(margin, left)}px`);
  box.style.setProperty("top", `${Math.max(margin, below ? y + margin : y - height - margin)}px`);
}

function open(content, x, y) {
  if (!box) {
    box = el("div", {class: "tooltip", role: "tooltip", id: "tooltip"});
    document.body.append(box);
    document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  }
  replace(box, content());
  box.classList.add("open");
  place(x, y);
}

function close() {
  box?.classList.remove("open");
}

// `content` makes the nodes to show.
export function explain(node, content) {
  node.addEventListener("pointerenter", (event) => open(content, event.clientX, event.clientY));
  node.addEventListener("pointermove", (event) => box && place(event.clientX, event.clientY));
  node.addEventListener("pointerleave", close);
  node.addEventListener("focus", () => {
    const {left, top, width, height} = node.getBoundingClientRect();
    open(content, left + width / 2, top + Math.min(height, window.innerHeight) / 2);
  });
  node.addEventListener("blur", close);
  return node;
}

// A title and lines of a name and a figure.
export function facts(title, lines) {
  return [el("strong", {}, title),
    el("dl", {}, lines.filter(Boolean).map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]))];
}
