/**
 * Decodes a message that is read in several steps: each segment, the members around the segments, and free data. The
 * rules are those of `decodeMessage`.
 * @module
 */

import type { MessageEnvelope } from "./types.ts";
import { exceedsSegments, tooManySegments } from "../decode.ts";
import { foreignHint } from "../foreign_protocols.ts";
import { decodeErrors } from "../errors.ts";
import { withExactIntegers, withExactNumbers } from "../exact_numbers.ts";
import { parseJson } from "../json.ts";
import { MAX_SEGMENTS } from "../limits.ts";
import { isCustom } from "../../schema/guards.ts";
import { envelopeIssue, messageIssue, segmentIssue } from "../../schema/rules.ts";
import type { Seg, WireMessage } from "../../schema/types.ts";
import type { Fields } from "../../util/values.ts";

/** Writes the JSON of an object from its members. Each member is JSON such as `"key":1`. */
export function objectJson(members: readonly string[]): string {
  return `{${members.join(",")}}`;
}

/** Decodes the JSON of an object that may hold anything. */
export function decodeFields(json: string): Fields {
  return withExactIntegers(json, parseJson(json) as Fields); // an object, as the text begins with a brace
}

/** The place of a segment in its message. */
export interface SegmentPlace {
  /** JSON path of the segment. */
  readonly path: string;
  /** Number of lists that contain the segment. */
  readonly lists: number;
}

/**
 * Decodes one segment.
 *
 * @param json The JSON of the segment.
 * @param place Place of the segment in the message.
 * @param maxDepth How deep segment lists may be nested in the whole message.
 */
export function decodeSegment(json: string, { path, lists }: SegmentPlace, maxDepth: number): Seg {
  const value = parseJson(json);
  const issue = segmentIssue(value, path, maxDepth - lists);
  if (issue !== null) throw decodeErrors.issue(issue);
  const segment = value as Seg; // no issue was found
  if (exceedsSegments(segment, json, MAX_SEGMENTS - lists)) throw tooManySegments(`${path}.data`, MAX_SEGMENTS);
  return withExactIntegers(json, segment);
}

/**
 * Decodes the members around the segments of an ordinary message.
 *
 * @param json JSON of an object with these members.
 * @param hasSegment True if the message has a `message_segment`. Without one, an error is thrown.
 */
export function decodeEnvelope(json: string, { hasSegment }: { hasSegment: boolean }): MessageEnvelope {
  const value = parseJson(json);
  const issue = hasSegment ? envelopeIssue(value) : messageIssue(value);
  if (issue !== null) throw decodeErrors.issue(issue, foreignHint(value));
  const envelope = value as MessageEnvelope; // no issue was found
  if (isCustom(value as WireMessage)) {
    const fault = { path: "$.is_custom_message", expected: "anything but true", received: "boolean" };
    throw decodeErrors.shape(fault, "a custom message has no segments");
  }
  return withExactNumbers(json, envelope);
}
