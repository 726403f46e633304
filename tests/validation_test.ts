import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { judge, MessageRejectedError, type ValidationIssue } from "../internal/validation.ts";
import { maibotIssues } from "../maibot/mod.ts";
import { createMessage, seg } from "../schema.ts";

const MESSAGE = createMessage({ platform: "qq", user: "1" }, seg.text("hi"));
const DROP: ValidationIssue = { level: "drop", path: "$.a", rule: "a_kind", hint: "Write a" };
const WARN: ValidationIssue = { level: "warn", path: "$.b" };

describe("judge()", () => {
  it("gives back what is no drop", () => {
    assertEquals(judge(MESSAGE, () => [WARN]), [WARN]);
    assertEquals(judge(MESSAGE, () => []), []);
  });

  it("hands the message over once", () => {
    const seen: unknown[] = [];
    judge(MESSAGE, (message) => {
      seen.push(message);
      return [];
    });
    assertEquals(seen, [MESSAGE]);
  });

  it("throws MessageRejectedError with every issue when one is a drop", () => {
    const error = assertThrows(() => judge(MESSAGE, () => [WARN, DROP]), MessageRejectedError);
    assertEquals(error.issues, [WARN, DROP]);
    assertEquals(error.name, "MessageRejectedError");
    assertEquals(error.message, "Cannot send message as its receiver would drop it: $.a (a_kind): Write a");
  });

  it("tells of the others that drop", () => {
    const error = assertThrows(() => judge(MESSAGE, () => [DROP, WARN, { level: "drop", path: "$.c" }]));
    assertEquals((error as Error).message.endsWith("Write a; and 1 more"), true);
  });

  it("passes on what the function throws", () => {
    const broken = () => {
      throw new RangeError("broken");
    };
    assertThrows(() => judge(MESSAGE, broken), RangeError, "broken");
  });

  it("takes maibotIssues as it is", () => {
    assertEquals(judge(MESSAGE, maibotIssues), []);
    const dropped = createMessage({ platform: "qq", user: "1" }, seg.of("face", 14));
    const error = assertThrows(() => judge(dropped, maibotIssues), MessageRejectedError);
    assertEquals(error.issues.map(({ rule, path }) => [rule, path]), [[
      "segment_type",
      "$.message_segment.data[0].type",
    ]]);
  });
});
