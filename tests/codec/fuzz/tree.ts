/**
 * JSON whose spelling is not decided yet: two texts of one tree differ in white space and escapes.
 * @module
 */

import type { Choices } from "../../support/random.ts";

/** A value. An object may have a member twice. */
export type Tree =
  | { readonly kind: "text"; value: string }
  /** A number, a word, or no JSON at all. */
  | { readonly kind: "raw"; text: string }
  | { readonly kind: "list"; items: Tree[] }
  | { readonly kind: "object"; members: [key: string, value: Tree][] };

const SHORT: Readonly<Record<string, string>> = {
  ...{ "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "/": "\\/" },
};

function spellUnit(unit: string, choices: Choices): string {
  const code = unit.charCodeAt(0);
  const isRaw = code >= 0x20 && unit !== '"' && unit !== "\\";
  if (isRaw && !choices.oneIn(8)) return unit;
  const short = SHORT[unit];
  if (short !== undefined && choices.oneIn(2)) return short;
  const hex = code.toString(16).padStart(4, "0");
  return `\\u${choices.oneIn(2) ? hex : hex.toUpperCase()}`;
}

/** Spells a string as JSON, with escapes where they must be and where they need not. */
export function spellText(text: string, choices: Choices): string {
  if (text.length > 2000) return JSON.stringify(text);
  let spelled = "";
  for (let index = 0; index < text.length; index++) spelled += spellUnit(text.charAt(index), choices);
  return `"${spelled}"`;
}

/** Spells a tree as JSON. */
export function spell(tree: Tree, choices: Choices): string {
  const space = choices.oneIn(3) ? () => choices.pick(["", "", " ", "\n", "\t", "\r\n  "]) : () => "";
  const write = (node: Tree): string => {
    switch (node.kind) {
      case "text":
        return spellText(node.value, choices);
      case "raw":
        return node.text;
      case "list":
        return `[${space()}${node.items.map(write).join(`${space()},${space()}`)}${space()}]`;
      case "object": {
        const members = node.members.map(([key, value]) =>
          `${spellText(key, choices)}${space()}:${space()}${write(value)}`
        );
        return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`;
      }
    }
  };
  return space() + write(tree) + space();
}
