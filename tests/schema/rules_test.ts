import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { messageIssue } from "../../schema.ts";
import { checkOutgoing, segmentIssue } from "../../schema/rules.ts";
import {
  ABSENT,
  changed,
  fullCustom,
  fullMessage,
  nestedLists,
  putAt,
  show,
  whilePolluted,
} from "../support/samples.ts";

/** What one member takes and refuses; a refusal is `invalid_shape` at the member itself. */
type Rule = readonly [paths: readonly string[], accepted: readonly unknown[], refused: readonly unknown[]];

const INFO = "$.message_info";

const USERS = [INFO, `${INFO}.sender_info`, `${INFO}.receiver_info`].map((party) => `${party}.user_info`);

const GROUPS = [INFO, `${INFO}.sender_info`, `${INFO}.receiver_info`].map((party) => `${party}.group_info`);

const NOTHING = [null, ABSENT];

const ANYTHING = [...NOTHING, true, false, 0, -1.5, "", "x", [], [null], {}, { a: [{}] }];

/** The rows of the table of design.md 3, in its order. */
const RULES: readonly Rule[] = [
  [[INFO], [{ platform: "qq" }], [...NOTHING, "x", 1, true, []]],
  [[`${INFO}.platform`], ["qq", " "], [...NOTHING, "", 5, true, [], {}]],
  [
    [`${INFO}.message_id`, ...USERS.map((user) => `${user}.user_id`), ...GROUPS.map((group) => `${group}.group_id`)],
    ["x", "", 0, 12345, -1, 1.5, ...NOTHING],
    [true, false, [], {}],
  ],
  [[`${INFO}.time`], [0, -1.5, 1703123456.789, 1703123456789, ...NOTHING], ["1", "", true, [], {}, NaN, Infinity]],
  [
    [
      ...USERS,
      ...GROUPS,
      `${INFO}.format_info`,
      `${INFO}.template_info`,
      `${INFO}.sender_info`,
      `${INFO}.receiver_info`,
    ],
    [{}, { unknown: 1 }, ...NOTHING],
    ["x", "", 5, false, [], [1]],
  ],
  [
    [
      ...USERS.flatMap((user) => [`${user}.platform`, `${user}.user_nickname`, `${user}.user_cardname`]),
      ...GROUPS.flatMap((group) => [`${group}.platform`, `${group}.group_name`]),
      "$.raw_message",
    ],
    ["x", "", ...NOTHING],
    [5, false, [], {}],
  ],
  [
    [`${INFO}.format_info.content_format`, `${INFO}.format_info.accept_format`],
    [[], ["text"], ["text", "text", ""], ...NOTHING],
    ["text", 1, false, {}, [1], ["text", null], [["text"]]],
  ],
  [[`${INFO}.template_info.template_name`], ["t", "", {}, { main: "n" }, ...NOTHING], [1, true, []]],
  [
    [`${INFO}.template_info.template_items`, `${INFO}.template_info.template_default`, `${INFO}.additional_config`],
    ANYTHING,
    [],
  ],
  [["$.message_segment"], [{ type: "x" }], [...NOTHING, "x", 5, true, [], [{ type: "text", data: "hi" }]]],
  [["$.message_segment.type", "$.message_segment.data[1].type"], ["", "x", "SegList"], [...NOTHING, 7, true, [], {}]],
  [["$.message_segment.data[0]"], [{ type: "x" }], [null, "x", 5, true, [], [{ type: "text", data: "hi" }]]],
  [["$.is_custom_message"], [ABSENT, false, null, 1, "true", {}], []],
  [["$.unknown", `${INFO}.unknown`, `${USERS[0]}.unknown`, "$.message_segment.unknown"], ANYTHING, []],
];

const CUSTOM_RULES: readonly Rule[] = [
  [["$.message_type_name"], ["poke", " "], [...NOTHING, "", 5, true, [], {}]],
  [["$.content"], ANYTHING.filter((value) => value !== ABSENT), [ABSENT]],
  [["$.platform"], ["qq", "", ...NOTHING], [5, true, [], {}]],
  [["$.timestamp", "$.unknown", "$.message_info", "$.message_segment"], ANYTHING, []],
];

const STRINGS = ["", "x"];

const NO_STRINGS = [...NOTHING, 5, true, [], {}];

/** Data on the wire by type: what the walk asks. */
const DATA_RULES: readonly (readonly [type: string, accepted: readonly unknown[], refused: readonly unknown[]])[] = [
  ...["text", "image", "emoji", "voice", "reply"].map((type) => [type, STRINGS, NO_STRINGS] as const),
  ["at", [...STRINGS, {}, { qq: 1 }], [...NOTHING, 5, true, []]],
  ["seglist", [[], [{ type: "x" }]], [...NOTHING, "", "abc", 5, true, {}, { type: "text", data: "x" }]],
  ...["video", "file", "dict", "face", "forward", "imageurl", "videourl", "voiceurl", "music", "command", "notify"]
    .map((type) => [type, ANYTHING, []] as const),
  ...["", "SegList", "Text", "totally_new_type", "constructor", "__proto__"].map((type) =>
    [type, ANYTHING, []] as const
  ),
];

function testRule(create: () => object, [paths, accepted, refused]: Rule): void {
  for (const path of paths) {
    for (const value of accepted) {
      it(`returns null when ${path} is ${show(value)}`, () => {
        assertStrictEquals(messageIssue(changed(create(), path, value)), null);
      });
    }
    for (const value of refused) {
      it(`returns invalid_shape at ${path} when it is ${show(value)}`, () => {
        const issue = messageIssue(changed(create(), path, value));
        assertEquals([issue?.code, issue?.path], ["invalid_shape", path]);
      });
    }
  }
}

describe("messageIssue()", () => {
  for (const value of [null, undefined, true, 1, "x", "", [], [fullMessage()], () => {}, 1n]) {
    it(`returns invalid_shape at $ when the value is ${typeof value === "bigint" ? "1n" : show(value)}`, () => {
      const issue = messageIssue(value);
      assertEquals([issue?.code, issue?.path], ["invalid_shape", "$"]);
    });
  }

  for (const rule of RULES) testRule(fullMessage, rule);
});

describe("messageIssue() of a custom message", () => {
  for (const rule of CUSTOM_RULES) testRule(fullCustom, rule);
});

/** Where a segment may stand, given its place in the message. */
const SEGMENT_PLACES = ["$.message_segment", "$.message_segment.data[1]"];

describe("messageIssue() of a segment", () => {
  for (const path of SEGMENT_PLACES) {
    for (const [type, accepted, refused] of DATA_RULES) {
      const create = () => changed(fullMessage(), path, { type });
      testRule(create, [[`${path}.data`], accepted, refused]);
    }
  }

  it("returns the path through every list when the fault is deep", () => {
    const message = fullMessage();
    putAt(message, "$.message_segment", JSON.parse(nestedLists(3)));
    putAt(message, "$.message_segment.data[0].data[0].data[1]", { type: "text", data: 5 });
    assertEquals(messageIssue(message)?.path, "$.message_segment.data[0].data[0].data[1].data");
  });
});

describe("messageIssue() of nested lists", () => {
  const nested = (levels: number) => changed(fullMessage(), "$.message_segment", JSON.parse(nestedLists(levels)));

  it("returns null when 32 lists nest", () => assertStrictEquals(messageIssue(nested(32)), null));

  it("returns too_deep at the innermost list when 33 lists nest", () => {
    const issue = messageIssue(nested(33));
    assertEquals([issue?.code, issue?.path], ["too_deep", `$.message_segment${".data[0]".repeat(32)}.data`]);
  });

  it("returns null when lists nest to a maxDepth of one's own", () => {
    assertStrictEquals(messageIssue(nested(40), { maxDepth: 40 }), null);
  });

  it("returns too_deep when lists nest beyond a maxDepth of one's own", () => {
    assertEquals(messageIssue(nested(3), { maxDepth: 2 })?.code, "too_deep");
  });

  it("returns too_deep when maxDepth is 0 and there is a list", () => {
    const issue = messageIssue(nested(1), { maxDepth: 0 });
    assertEquals([issue?.code, issue?.path], ["too_deep", "$.message_segment.data"]);
  });

  it("returns too_deep when a list holds itself", () => {
    const list: { type: string; data: unknown[] } = { type: "seglist", data: [] };
    list.data.push(list);
    assertEquals(messageIssue({ message_info: { platform: "qq" }, message_segment: list })?.code, "too_deep");
  });
});

/** Kinds of what is found, so that an issue says it without the value. */
const RECEIVED: readonly (readonly [value: unknown, received: string])[] = [
  [ABSENT, "undefined"],
  [null, "null"],
  [[], "array"],
  [{}, "object"],
  ["", "empty string"],
  [5, "number"],
  [true, "boolean"],
];

describe("segmentIssue()", () => {
  const PATH = "$.message_segment.data[7]";

  for (const [type, accepted, refused] of DATA_RULES) {
    for (const data of [...accepted, ...refused]) {
      it(`finds what messageIssue() finds when data of type "${type}" is ${show(data)}`, () => {
        const segment = changed({ type }, "$.data", data);
        const issue = messageIssue({ message_info: { platform: "qq" }, message_segment: segment });
        const moved = issue && { ...issue, path: issue.path.replace("$.message_segment", PATH) };
        assertEquals(segmentIssue(segment, PATH), moved);
      });
    }
  }

  for (const value of [null, undefined, 5, "x", []]) {
    it(`is at the path itself when the value is ${show(value)}`, () => {
      assertEquals(segmentIssue(value, PATH)?.path, PATH);
    });
  }

  it("counts the segment itself among the lists", () => {
    const lists = JSON.parse(nestedLists(3));
    assertStrictEquals(segmentIssue(lists, PATH, 3), null);
    const issue = segmentIssue(lists, PATH, 2);
    assertEquals([issue?.code, issue?.path], ["too_deep", `${PATH}.data[0].data[0].data`]);
  });

  it("does not count data that is inherited", () => {
    const issue = whilePolluted({ data: "x" }, () => segmentIssue({ type: "text" }, PATH));
    assertEquals(issue?.path, `${PATH}.data`);
  });

  it("is at the path when a getter throws", () => {
    const segment = Object.defineProperty({}, "type", { get: () => JSON.parse("?"), enumerable: true });
    assertEquals(segmentIssue(segment, PATH)?.path, PATH);
  });
});

describe("checkOutgoing()", () => {
  const around = (segment: unknown) => ({ message_info: { platform: "qq" }, message_segment: segment });
  const bytes = new Uint8Array(3);

  for (const type of ["image", "emoji", "voice"]) {
    it(`takes bytes in the place of base64 when the type is ${type}`, () => {
      assertEquals(checkOutgoing(around({ type, data: bytes })), { issue: null, holdsBytes: true });
      assertEquals(messageIssue(around({ type, data: bytes }))?.path, "$.message_segment.data");
    });
  }

  for (const type of ["text", "at", "reply"]) {
    it(`takes no bytes when the type is ${type}`, () => {
      const { issue, holdsBytes } = checkOutgoing(around({ type, data: bytes }));
      assertEquals([issue?.path, holdsBytes], [type === "at" ? undefined : "$.message_segment.data", false]);
    });
  }

  it("finds what messageIssue() finds, also after bytes", () => {
    const list = [{ type: "image", data: bytes }, { type: "text", data: 5 }];
    assertEquals(checkOutgoing(around({ type: "seglist", data: list })).issue?.path, "$.message_segment.data[1].data");
  });
});

describe("messageIssue().received", () => {
  for (const [value, received] of RECEIVED) {
    it(`is "${received}" when the platform is ${show(value)}`, () => {
      assertEquals(messageIssue(changed(fullMessage(), `${INFO}.platform`, value))?.received, received);
    });
  }
});
