// SPDX-License-Identifier: MIT
// Names and command lines come from observed processes and may be hostile. They are shown as in the
// terminal's tables: one line, and what would be invisible or reorder other text is written out.
import {el} from "./dom.js";

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]/gu;
// More marks on one letter would run over the lines above.
const MARKS = /(\p{M}{2})\p{M}+/gu;

function escaped(character) {
  const code = character.codePointAt(0);
  const named = {0x0a: "\\n", 0x0d: "\\r", 0x09: "\\t"}[code];
  if (named) return named;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

export function printable(text) {
  return String(text).replaceAll("\\", "\\\\").replace(HIDDEN, escaped).replace(MARKS, "$1");
}

// At most `most` characters of printable text; the end is kept where that tells more (paths).
export function shortened(text, most, keepEnd = false) {
  const characters = [...text];
  if (characters.length <= most) return text;
  if (!keepEnd) return characters.slice(0, most - 1).join("") + "…";
  const head = Math.floor(most / 3);
  return characters.slice(0, head).join("") + "…" + characters.slice(characters.length - (most - head - 1)).join("");
}

// An element that isolates a name's direction from the text around it.
export function name(text, attributes = {}) {
  return el("bdi", {class: "name", ...attributes}, printable(text));
}

export function commandLine(words) {
  return words.map((word) => {
    const shown = printable(word);
    if (shown === word && /^[\w@%+=:,./-]+$/.test(word)) return shown;
    if (shown === word || shown === word.replaceAll("\\", "\\\\")) return "'" + word.replaceAll("'", "'\\''") + "'";
    return "$'" + shown.replaceAll("'", "\\'") + "'";
  }).join(" ");
}
