import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { isSeg, messageIssue, plainText, type SegType } from "../../schema.ts";
import { SEGMENTS } from "../../schema/segments.ts";
import { ABSENT, show } from "../support/samples.ts";

/** Data of each JSON type, and of none. */
const SAMPLES = [ABSENT, null, true, 5, "", "x", [], {}];
const TYPES = Object.keys(SEGMENTS) as SegType[];

function segmentOf(type: string, data: unknown): { type: string; data?: unknown } {
  return data === ABSENT ? { type } : { type, data };
}

function isRefused(type: string, data: unknown): boolean {
  const message = { message_info: { platform: "qq" }, message_segment: segmentOf(type, data) };
  return messageIssue(message)?.path === "$.message_segment.data";
}

/** Names the JSON type of a sample, without the help of the source. */
function jsonType(data: unknown): string {
  if (data === ABSENT || data === null) return "nothing";
  return Array.isArray(data) ? "array" : typeof data;
}

describe("SEGMENTS", () => {
  for (const type of TYPES) {
    const { data: allowed, isRule } = SEGMENTS[type];
    for (const data of SAMPLES) {
      const isAllowed = (allowed as readonly string[]).includes(jsonType(data));
      it(`agrees with messageIssue() when data of type ${type} is ${show(data)}`, () => {
        assertStrictEquals(isRefused(type, data), isRule && !isAllowed);
      });
      it(`agrees with isSeg() when data of type ${type} is ${show(data)}`, () => {
        assertStrictEquals(isSeg(segmentOf(type, data), type), isAllowed);
      });
    }
  }

  it("has every rule of messageIssue() about data", () => {
    const ruled = TYPES.filter((type) => isRefused(type, 5));
    assertEquals(ruled, TYPES.filter((type) => SEGMENTS[type].isRule));
  });

  for (const type of TYPES.filter((name) => SEGMENTS[name].label !== undefined)) {
    it(`gives the label that plainText() shows for type ${type}`, () => {
      assertStrictEquals(plainText({ type, data: "x" }), `[${SEGMENTS[type].label}]`);
    });
  }

  it("has no row for a member that every object inherits", () => {
    assert(!isSeg({ type: "constructor", data: "x" }, "constructor" as SegType));
    assertStrictEquals(plainText({ type: "toString", data: "x" }), "[toString]");
  });
});
