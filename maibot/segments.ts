import { SEGMENT } from "./fault.ts";
import { isObject, own, strip } from "./python/values.ts";

/** A segment of a message, and its JSON path. The segment has not been checked. */
export interface SegmentAt {
  readonly segment: unknown;
  readonly path: string;
}

/** Returns the items of the list in `message_segment`. If there is a single segment instead, returns this segment. */
export function segmentsIn(content: unknown): SegmentAt[] {
  const data = isObject(content) && own(content, "type") === "seglist" ? own(content, "data") : undefined;
  if (!Array.isArray(data)) return [{ segment: content, path: SEGMENT }];
  return data.map((segment, index) => ({ segment, path: `${SEGMENT}.data[${index}]` }));
}

/**
 * Commands that MaiBot 1.3 itself answers. MaiBot needs the account only for an answer that quotes a message, and these
 * answers do not. Source: bot.py.
 */
const BUILT_IN_COMMANDS: ReadonlySet<string> = new Set(["/clear", "/offline", "/online"]);

/** Returns the built-in command that a message consists of; `null` if the message is not a built-in command. */
export function builtInCommand(content: unknown): string | null {
  const texts = segmentsIn(content).map(({ segment }) => {
    return isObject(segment) && own(segment, "type") === "text" ? own(segment, "data") : undefined;
  });
  const text = texts.every((data) => typeof data === "string") ? strip(texts.join(" ")) : "";
  return BUILT_IN_COMMANDS.has(text) ? text : null;
}
