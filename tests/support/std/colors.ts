/**
 * Stands in for `@std/fmt/colors` where JSR cannot be reached.
 * @module
 */

import process from "node:process";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  // As the real one: NO_COLOR turns colors off, a pipe does not.
  return process.env.NO_COLOR ? text : styleText(style, text, { validateStream: false });
}

/** Makes text bold. */
export function bold(text: string): string {
  return paint("bold", text);
}

/** Makes text dim. */
export function dim(text: string): string {
  return paint("dim", text);
}

/** Makes text red. */
export function red(text: string): string {
  return paint("red", text);
}

/** Makes text green. */
export function green(text: string): string {
  return paint("green", text);
}

/** Makes text yellow. */
export function yellow(text: string): string {
  return paint("yellow", text);
}

/** Makes text cyan. */
export function cyan(text: string): string {
  return paint("cyan", text);
}

/** Makes text gray. */
export function gray(text: string): string {
  return paint("gray", text);
}
