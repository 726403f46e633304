import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { isCustomMessage, isMessageBase, isSeg, messageIssue, type SegType } from "../../schema.ts";
import {
  ABSENT,
  changed,
  fullCustom,
  fullMessage,
  nestedLists,
  show,
  whilePolluted,
  wrong,
} from "../support/samples.ts";
import { seedVectors } from "../support/vectors.ts";

const INFO = "$.message_info";

const USERS = [INFO, `${INFO}.sender_info`, `${INFO}.receiver_info`].map((party) => `${party}.user_info`);

const GROUPS = [INFO, `${INFO}.sender_info`, `${INFO}.receiver_info`].map((party) => `${party}.group_info`);

const NOTHING = [null, ABSENT];

const STRINGS = ["", "x"];

const NO_STRINGS = [...NOTHING, 5, true, [], {}];

const ID_PATHS = [`${INFO}.message_id`, `${USERS[0]}.user_id`, `${GROUPS[0]}.group_id`, `${USERS[1]}.user_id`];

describe("isMessageBase()", () => {
  it("is true when every member is there", () => assert(isMessageBase(fullMessage())));
  it("is false when the message is a custom one", () => assert(!isMessageBase(fullCustom())));
  it("is false when a rule is broken", () => assert(!isMessageBase(changed(fullMessage(), `${INFO}.platform`, ""))));
  for (const path of ID_PATHS) {
    it(`is false when ${path} is a number`, () => assert(!isMessageBase(changed(fullMessage(), path, 5))));
    it(`is true when ${path} is null`, () => assert(isMessageBase(changed(fullMessage(), path, null))));
  }
  for (const value of [null, undefined, 5, "x", [], () => {}]) {
    it(`is false when the value is ${show(value)}`, () => assert(!isMessageBase(value)));
  }
});

describe("isCustomMessage()", () => {
  it("is true when every member is there", () => assert(isCustomMessage(fullCustom())));
  it("is false when the message is an ordinary one", () => assert(!isCustomMessage(fullMessage())));
  for (const flag of [ABSENT, false, null, 1, "true"]) {
    it(`is false when is_custom_message is ${show(flag)}`, () => {
      assert(!isCustomMessage(changed(fullCustom(), "$.is_custom_message", flag)));
    });
  }
  it("is false when a rule is broken", () => {
    assert(!isCustomMessage(changed(fullCustom(), "$.message_type_name", "")));
  });
});

const OBJECTS = [{}, { a: 1 }];

/** Kind of data per known type: protocol.md 2.4, the column "data". */
const KNOWN: readonly (readonly [type: SegType, good: readonly unknown[], bad: readonly unknown[]])[] = [
  ...(["text", "image", "emoji", "voice", "video", "reply", "imageurl", "videourl", "voiceurl"] as const)
    .map((type) => [type, STRINGS, NO_STRINGS] as const),
  ...(["at", "file", "music"] as const).map((type) => [type, ["x", ...OBJECTS], [...NOTHING, 5, true, []]] as const),
  ...(["dict", "command", "notify"] as const).map((type) => [type, OBJECTS, [...NOTHING, "x", 5, true, []]] as const),
  ["face", ["14", 14], [...NOTHING, true, [], {}]],
  ["forward", [[], [{}]], [...NOTHING, "x", 5, {}]],
  ["seglist", [[], [{ type: "x" }]], [...NOTHING, "x", 5, {}, [5]]],
];

describe("isSeg()", () => {
  for (const [type, good, bad] of KNOWN) {
    for (const data of good) {
      it(`is true for type ${type} when data is ${show(data)}`, () => {
        assert(isSeg(changed({ type }, "$.data", data), type));
      });
    }
    for (const data of bad) {
      it(`is false for type ${type} when data is ${show(data)}`, () => {
        assert(!isSeg(changed({ type }, "$.data", data), type));
      });
    }
  }
  it("is false when the type is another one", () => assert(!isSeg({ type: "text", data: "x" }, "image")));
  it("is false when the type asked for is not a known one", () => {
    assert(!isSeg({ type: "constructor", data: "x" }, wrong("constructor")));
  });
  it("is true without a type when the type is unknown", () => assert(isSeg({ type: "totally_new_type" })));
  it("is false without a type when data breaks the rule", () => assert(!isSeg({ type: "text", data: 5 })));
  for (const value of [null, undefined, 5, "x", [], {}, { type: 7 }, { data: "x" }]) {
    it(`is false when the value is ${show(value)}`, () => assert(!isSeg(value)));
  }
  it("is false when 33 lists nest", () => assert(!isSeg(JSON.parse(nestedLists(33)))));
});

describe("the seed", () => {
  for (const [name, segment] of Object.entries(seedVectors.segments)) {
    it(`has a segment that isSeg() takes: ${name}`, () => assert(isSeg(segment, wrong(name))));
  }
  for (const [name, message] of Object.entries(seedVectors.messages)) {
    it(`has a message that isMessageBase() takes: ${name}`, () => assert(isMessageBase(message)));
  }
  it("has six segments and four messages", () => {
    const { segments, messages } = seedVectors;
    assertEquals([Object.keys(segments).length, Object.keys(messages).length], [6, 4]);
  });
});

const TEXT = { type: "text", data: "hi" };

/** Pollution, and what must be the same with it: a call that gives false without it, or true. */
const POLLUTED: readonly (readonly [
  name: string,
  members: Readonly<Record<string, unknown>>,
  expected: boolean,
  call: () => boolean,
])[] = [
  [
    "isMessageBase() is false of {} when both members are inherited",
    { message_info: { platform: "qq" }, message_segment: TEXT },
    false,
    () => isMessageBase({}),
  ],
  ["isMessageBase() is false when the platform is inherited", { platform: "qq" }, false, () =>
    isMessageBase({
      message_info: {},
      message_segment: TEXT,
    })],
  [
    "isMessageBase() is true when a broken user_info is inherited",
    { user_info: 5, time: "x" },
    true,
    () => isMessageBase({ message_info: { platform: "qq" }, message_segment: TEXT }),
  ],
  [
    "isMessageBase() is true when is_custom_message is inherited",
    { is_custom_message: true },
    true,
    () => isMessageBase(fullMessage()),
  ],
  ["isCustomMessage() is false of {} when every member is inherited", fullCustom(), false, () => isCustomMessage({})],
  ["isCustomMessage() is false when the content is inherited", { content: 1 }, false, () =>
    isCustomMessage({
      message_type_name: "x",
      is_custom_message: true,
    })],
  ["isSeg() is false of {} when type and data are inherited", TEXT, false, () => isSeg({})],
  ["isSeg() is false when the data of a text is inherited", { data: "x" }, false, () => isSeg({ type: "text" })],
  // isSeg() took data from the prototype for types without a rule on the wire.
  [
    "isSeg() is false when the data of a video is inherited",
    { data: "x" },
    false,
    () => isSeg({ type: "video" }, "video"),
  ],
  [
    "isSeg() is false of an unknown type when that type is inherited",
    { poke: () => true },
    false,
    () => isSeg({ type: "poke", data: 1 }, wrong("poke")),
  ],
];

describe("Object.prototype", () => {
  for (const [name, members, expected, call] of POLLUTED) {
    it(`does not count: ${name}`, () => assertStrictEquals(whilePolluted(members, call), expected));
  }

  it("does not count: messageIssue() is at $.message_info when __proto__ is a key that holds a message", () => {
    const value = JSON.parse(`{"__proto__":${JSON.stringify(fullMessage())}}`);
    assertEquals(messageIssue(value)?.path, INFO);
  });

  it("does not count: isMessageBase() is false when the object inherits from a message", () => {
    assert(!isMessageBase(Object.create(fullMessage())));
  });

  for (const key of ["__proto__", "constructor", "toJSON", "toString", "hasOwnProperty", "prototype"]) {
    it(`does not count: ${key} is plain data when it is a key everywhere`, () => {
      const extra = `"${key}":{"type":"x","platform":5,"polluted":1}`;
      const text = `{"message_info":{"platform":"qq","user_info":{${extra}},"additional_config":{${extra}},${extra}},` +
        `"message_segment":{"type":"seglist","data":[{"type":"dict","data":{${extra}},${extra}}],${extra}},${extra}}`;
      assert(isMessageBase(JSON.parse(text)));
    });
  }

  it("stays as it is when guards walk a message with __proto__ keys", () => {
    const value = JSON.parse(
      `{"__proto__":{"polluted":1},"message_info":{"__proto__":{"polluted":1},"platform":"qq"}}`,
    );
    messageIssue(value);
    isMessageBase(value);
    assertStrictEquals(Reflect.get({}, "polluted"), undefined);
  });
});

function thrower(): never {
  throw new Error("a trap");
}

function withGetter(key: string, object: object): object {
  return Object.defineProperty(object, key, { get: thrower, enumerable: true, configurable: true });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const HOSTILE: readonly (readonly [name: string, create: () => unknown])[] = [
  ["a getter of is_custom_message throws", () => withGetter("is_custom_message", fullMessage())],
  ["a getter of message_info throws", () => withGetter("message_info", fullMessage())],
  ["a getter of the platform throws", () => ({ message_info: withGetter("platform", {}), message_segment: TEXT })],
  [
    "a getter of the type throws",
    () => ({ message_info: { platform: "qq" }, message_segment: withGetter("type", {}) }),
  ],
  ["a getter of the data throws", () => ({
    message_info: { platform: "qq" },
    message_segment: withGetter("data", { type: "text" }),
  })],
  ["a getter of the content throws", () => withGetter("content", fullCustom())],
  ["a proxy throws on get", () => new Proxy(fullMessage(), { get: thrower })],
  ["a proxy throws on getOwnPropertyDescriptor", () => new Proxy({}, { getOwnPropertyDescriptor: thrower })],
  ["a proxy is revoked", revoked],
  ["a member is a revoked proxy", () => ({ message_info: revoked(), message_segment: TEXT })],
  ["a list is a proxy that throws", () => ({
    message_info: { platform: "qq" },
    message_segment: { type: "seglist", data: new Proxy([TEXT], { get: thrower }) },
  })],
];

describe("guards", () => {
  for (const [name, create] of HOSTILE) {
    it(`messageIssue() returns an issue when ${name}`, () => {
      assertMatch(messageIssue(create())?.code ?? "none", /^invalid_shape$/);
    });
    it(`isMessageBase() is false when ${name}`, () => assertStrictEquals(isMessageBase(create()), false));
    it(`isCustomMessage() is false when ${name}`, () => assertStrictEquals(isCustomMessage(create()), false));
  }
  it("isSeg() is false when a getter of the type throws", () => assert(!isSeg(withGetter("type", {}))));
  it("isSeg() is false when a getter of the data throws", () =>
    assert(!isSeg(withGetter("data", { type: "x" }), "text")));
  it("isSeg() is false when a proxy is revoked", () => assert(!isSeg(revoked())));
});
