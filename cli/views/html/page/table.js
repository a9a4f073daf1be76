// SPDX-License-Identifier: MIT
// A table that can be sorted by any column and filtered by text, with the keyboard too.
import {el, replace, uniqueId} from "./dom.js";
import {count, plural} from "./format.js";

const FEW = 20; // lines, until a button shows all

function compare(a, b) {
  // What is not known comes last, whichever way it is sorted.
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : Infinity;
  if (b === null || b === undefined) return -Infinity;
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}

// columns: {title, value(item) to sort by, cell(item) to show (default: the value), number, wide,
// help, optional: leave the column out if no item has a value}. options: {label, noun: [one, many],
// filter(item) text to search, sort: index of the column, ascending, note}.
export function table(items, columns, options) {
  const shown = columns.filter((column) => !column.optional || items.some((item) => column.value(item)));
  const state = {column: options.sort === undefined ? null : columns[options.sort], descending: !options.ascending, text: "", all: false};
  const body = el("tbody");
  const status = el("p", {class: "status", role: "status"});
  const more = el("button", {type: "button", class: "more", onclick: () => { state.all = true; draw(); }});

  const heads = shown.map((column) => {
    const head = el("th", {scope: "col", class: column.number ? "number" : null, title: column.help},
      el("button", {type: "button", onclick: () => {
        state.descending = state.column === column ? !state.descending : Boolean(column.number);
        state.column = column;
        draw();
      }}, column.title));
    return {column, head};
  });

  function draw() {
    const needle = state.text.toLowerCase();
    let list = needle ? items.filter((item) => options.filter(item).toLowerCase().includes(needle)) : [...items];
    if (state.column) {
      const {value} = state.column;
      list.sort((one, other) => {
        const order = compare(value(one), value(other));
        return Math.abs(order) === Infinity ? Math.sign(order) : state.descending ? -order : order;
      });
    }
    for (const {column, head} of heads)
      head.setAttribute("aria-sort", column !== state.column ? "none" : state.descending ? "descending" : "ascending");
    const visible = state.all ? list : list.slice(0, FEW);
    replace(body, visible.map((item) => el("tr", {}, shown.map((column) => {
      const cell = column.cell ? column.cell(item) : column.value(item);
      return el("td", {class: [column.number && "number", column.wide && "wide"].filter(Boolean).join(" ") || null,
        "data-title": column.title}, cell);
    }))));
    const [one, many] = options.noun;
    status.textContent = needle ? `${count(list.length)} of ${plural(items.length, one, many)}` : "";
    more.hidden = visible.length === list.length;
    more.textContent = `Show all ${count(list.length)} ${many}`;
  }

  const filterId = uniqueId("filter");
  const controls = options.filter && items.length > 8 && el("div", {class: "controls"},
    el("label", {for: filterId}, "Filter "),
    el("input", {id: filterId, type: "search", autocomplete: "off", spellcheck: "false",
      oninput: (event) => { state.text = event.target.value; draw(); }}),
    status);
  draw();
  return el("div", {class: "table-block"}, controls,
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": options.label},
      el("table", {}, el("caption", {class: "unseen"}, options.label),
        el("thead", {}, el("tr", {}, heads.map(({head}) => head))), body)),
    more, options.note && el("p", {class: "note"}, options.note));
}
