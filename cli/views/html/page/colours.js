// SPDX-License-Identifier: MIT
// CPU copies a byte as a colour: none, one, two and more.
import {scaleLinear} from "d3-scale";

const NONE = "#1d9a6c";
const ONE = "#d8961a";
const TWO = "#cd4a3d";

const scale = scaleLinear().domain([0, 1, 2]).range([NONE, ONE, TWO]).clamp(true);

export const UNKNOWN_COLOUR = "#8a94a0";

export function ofCopies(perByte) {
  return perByte === null || perByte === undefined ? UNKNOWN_COLOUR : scale(perByte);
}

// For classes of one whole, in this order: distinct in lightness, too.
export const CLASSES = {
  copy: "#cd4a3d", zero: "#e58a5f", crypto: "#8d5fb0", checksum: "#b98fd0", allocate: "#c7a63a",
  page_cache: "#4f9f5a", filesystem: "#2d7f74", network: "#3f7fc4", lock: "#a3596f", schedule: "#7b88c9",
  entry: "#5fb3c9", user: "#9aa5b1", other: "#c5ccd3",
};
