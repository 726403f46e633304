/**
 * Names that a caller makes up to forge lines of a log, to control a terminal, or to fill a disk.
 * @module
 */

import { assertEquals } from "@std/assert";

/** A line of the log of a program, forged in the middle of a name. */
export const FORGED = "x\n+ #99 admin (127.0.0.1)\r\n+ admin\u2028";
/** Control sequences of a terminal, and marks that turn text around. */
export const CONTROLS = "\x1b[31mred\x1b]0;title\x07\x08\x9b2J\u202e";
/** A name of 1 MB that holds both from its start on. */
export const NASTY: string = `${FORGED}${CONTROLS}${"y".repeat(1_000_000)}`;

/** Maximum length of a line: a few texts of at most 200 characters, and the words around them. */
const MAX_LINE = 1000;

/** Messages in which one text after another is nasty, and custom messages and frames likewise, as JSON. */
export function nastyFrames(): string[] {
  const info = { platform: "qq", message_id: "1", time: 1, user_info: { user_id: "u1", user_nickname: "n" } };
  const group = { group_id: "g1", group_name: "g" };
  const text = { type: "text", data: "hi" };
  const withInfo = (more: object) => ({ message_info: { ...info, ...more }, message_segment: text });
  const user = (more: object) => withInfo({ user_info: { ...info.user_info, ...more } });
  const frames: unknown[] = [
    withInfo({ message_id: NASTY }),
    withInfo({ platform: NASTY }),
    user({ user_id: NASTY }),
    user({ user_nickname: NASTY, user_cardname: NASTY }),
    withInfo({ group_info: { ...group, group_id: NASTY, group_name: NASTY } }),
    withInfo({ additional_config: { [NASTY]: NASTY } }),
    withInfo({ time: NASTY }),
    { ...withInfo({}), message_segment: { type: NASTY, data: NASTY } },
    { ...withInfo({}), message_segment: { type: "seglist", data: [text, { type: NASTY, data: 5 }] } },
    { ...withInfo({}), message_segment: { type: "text", data: NASTY } },
    { ...withInfo({}), message_segment: { type: "reply", data: NASTY } },
    { ...withInfo({}), raw_message: NASTY, [NASTY]: 1 },
    { type: "custom", platform: NASTY, message_type_name: NASTY, is_custom_message: true, content: NASTY },
    { platform: "qq", message_type_name: NASTY, is_custom_message: true, content: 1 },
    { platform: "qq", message_type_name: "message_id_echo", is_custom_message: true, content: { [NASTY]: NASTY } },
    { [NASTY]: NASTY },
    NASTY,
  ];
  return [...frames.map((frame) => JSON.stringify(frame)), NASTY, `{"${NASTY}`];
}

/** Fails if a printed line is forged, long, or holds a control character. */
export function assertSafeLines(lines: readonly string[]): void {
  assertEquals(lines.filter((line) => /^(?:\+ #99|\+ admin|y)/.test(line)), [], "forged");
  // deno-lint-ignore no-control-regex -- they are what is looked for
  const controls = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
  assertEquals(lines.filter((line) => controls.test(line)).map((line) => line.slice(0, 300)), []);
  assertEquals(lines.filter((line) => line.length > MAX_LINE).map((line) => line.slice(0, 300)), [], "long");
}
