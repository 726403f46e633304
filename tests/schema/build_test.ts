import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  createCustom,
  createMessage,
  type CreateMessageOptions,
  createReply,
  isCustomMessage,
  isMessageBase,
  type MessageBase,
  type Seg,
  seg,
} from "../../schema.ts";
import { nestedLists, show, whilePolluted, wrong } from "../support/samples.ts";

const BYTES = new Uint8Array([0xfb, 0xff, 0xbf, 0x01]);

const BASE64 = "+/+/AQ==";

const BINARY = ["image", "emoji", "voice"] as const;

const HI = seg.text("hi");

const BUILT: readonly (readonly [call: string, create: () => Seg, expected: unknown])[] = [
  ["text", () => seg.text("你好"), { type: "text", data: "你好" }],
  ["text of nothing", () => seg.text(""), { type: "text", data: "" }],
  ["at", () => seg.at("10001"), { type: "at", data: "10001" }],
  ["reply", () => seg.reply("msg_001"), { type: "reply", data: "msg_001" }],
  ["dict", () => seg.dict({ type: "poke", data: { n: null } }), {
    type: "dict",
    data: { type: "poke", data: { n: null } },
  }],
  ["file", () => seg.file({ name: "a.txt", size: 3 }), { type: "file", data: { name: "a.txt", size: 3 } }],
  ["file with bytes", () => seg.file({ name: "a", base64: BYTES }), {
    type: "file",
    data: { name: "a", base64: BASE64 },
  }],
  ["file with a data: URL", () => seg.file({ base64: `data:;base64,${BASE64}` }), {
    type: "file",
    data: { base64: BASE64 },
  }],
  ["of", () => seg.of("face", 14), { type: "face", data: 14 }],
  ["of without data", () => seg.of("poke"), { type: "poke" }],
  ["of with null", () => seg.of("poke", null), { type: "poke", data: null }],
  ["of with the wrong data", () => seg.of("text", 5), { type: "text", data: 5 }],
  ["an empty list", () => seg.list(), { type: "seglist", data: [] }],
  ["a list", () => seg.list(HI, seg.at("1")), { type: "seglist", data: [HI, { type: "at", data: "1" }] }],
];

describe("seg", () => {
  for (const [call, create, expected] of BUILT) it(`builds ${call}`, () => assertEquals<unknown>(create(), expected));

  for (const type of BINARY) {
    it(`${type}() makes base64 when given bytes`, () => assertEquals(seg[type](BYTES), { type, data: BASE64 }));
    it(`${type}() keeps base64 when given it`, () => assertEquals(seg[type](BASE64), { type, data: BASE64 }));
    it(`${type}() cuts the prefix off when given a data: URL`, () => {
      assertEquals(seg[type](`data:image/png;base64,${BASE64}`), { type, data: BASE64 });
    });
  }

  it("image() reads only its own part when the bytes are a view into a larger buffer", () => {
    assertEquals(seg.image(new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5)).data, "AQID");
  });

  it("list() flattens lists in order when they nest to any depth", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => seg.text(name)) as [Seg, Seg, Seg, Seg]; // of four names
    const nested: Seg = { type: "seglist", data: [b, { type: "seglist", data: [c, seg.list()] }] };
    assertEquals(seg.list(a, nested, d).data, [a, b, c, d]);
  });

  it("list() flattens 32 lists when they nest", () => {
    assertEquals(seg.list(JSON.parse(nestedLists(32))).data, [HI]);
  });

  it("list() flattens 200,000 segments when one list holds them", () => {
    const list: Seg = { type: "seglist", data: Array.from({ length: 200_000 }, () => HI) };
    assertEquals(seg.list(list).data.length, 200_000);
  });

  it("list() leaves its arguments alone when it flattens", () => {
    const inner = seg.list(HI);
    seg.list(inner, HI);
    assertEquals(inner.data, [HI]);
  });

  it("file() leaves its argument alone when it makes base64", () => {
    const file = { name: "a", base64: BYTES };
    seg.file(file);
    assertStrictEquals(file.base64, BYTES);
  });
});

const QQ: CreateMessageOptions = { platform: "qq", user: "1" };

/** Calls that must throw, and the argument their text must name. */
const REFUSED: readonly (readonly [call: string, argument: string, fn: () => unknown])[] = [
  ["seg.text(5)", "text", () => seg.text(wrong(5))],
  ["seg.text()", "text", () => seg.text(wrong(undefined))],
  ...BINARY.flatMap((type) =>
    [5, null, "😀", "AQI", "AQ-_", "A===", "====", "AQ ID", "base64://AQID", "data:", "data:image/png;base64,!!!!"].map(
      (data) => [`seg.${type}(${show(data)})`, "data", () => seg[type](wrong(data))] as const,
    )
  ),
  ["seg.image(an ArrayBuffer)", "data", () => seg.image(wrong(new ArrayBuffer(2)))],
  ["seg.at(5)", "userId", () => seg.at(wrong(5))],
  ['seg.at("")', "userId", () => seg.at("")],
  ["seg.reply(5)", "messageId", () => seg.reply(wrong(5))],
  ['seg.reply("")', "messageId", () => seg.reply("")],
  ['seg.file("a.txt")', "file", () => seg.file(wrong("a.txt"))],
  ["seg.file(null)", "file", () => seg.file(wrong(null))],
  ["seg.file({ base64: 5 })", "file.base64", () => seg.file({ base64: wrong(5) })],
  ["seg.dict([])", "data", () => seg.dict(wrong([]))],
  ["seg.dict(null)", "data", () => seg.dict(wrong(null))],
  ['seg.list("hi")', "segs[0]", () => seg.list(wrong("hi"))],
  ["seg.list(hi, a text with a number)", "segs[1]", () => seg.list(HI, { type: "text", data: 5 })],
  ["seg.list(an array)", "segs[0]", () => seg.list(wrong([HI]))],
  ["seg.of(5)", "type", () => seg.of(wrong(5))],
  ["createMessage()", "options", () => createMessage(wrong(undefined))],
  ["createMessage() with an empty platform", "platform", () => createMessage({ ...QQ, platform: "" })],
  ["createMessage() with a number as platform", "platform", () => createMessage({ ...QQ, platform: wrong(5) })],
  ["createMessage() without a user", "user", () => createMessage(wrong({ platform: "qq" }))],
  ["createMessage() with a number as user", "user", () => createMessage({ ...QQ, user: wrong(5) })],
  ["createMessage() with an empty user", "user.user_id", () => createMessage({ ...QQ, user: "" })],
  ["createMessage() with a user without id", "user.user_id", () => createMessage({ ...QQ, user: {} })],
  ["createMessage() with a number as id", "user.user_id", () => createMessage({ ...QQ, user: { user_id: wrong(5) } })],
  [
    "createMessage() with a nickname of 5",
    "user_nickname",
    () => createMessage({ ...QQ, user: { user_id: "1", user_nickname: wrong(5) } }),
  ],
  ["createMessage() with a number as group", "group", () => createMessage({ ...QQ, group: wrong(5) })],
  ["createMessage() with an empty group", "group.group_id", () => createMessage({ ...QQ, group: "" })],
  ["createMessage() with a group without id", "group.group_id", () => createMessage({ ...QQ, group: {} })],
  ["createMessage() with an empty message_id", "message_id", () => createMessage({ ...QQ, message_id: "" })],
  ["createMessage() with a number as message_id", "message_id", () => createMessage({ ...QQ, message_id: wrong(5) })],
  ...[1703123456789, Date.now(), NaN, Infinity, "1703123456", new Date(NaN), 253_402_300_800].map((time) =>
    [
      `createMessage() with the time ${String(time)}`,
      "time",
      () => createMessage({ ...QQ, time: wrong(time) }),
    ] as const
  ),
  ["createMessage() with a string as segment", "segs[0]", () => createMessage(QQ, wrong("hi"))],
  [
    "createMessage() with a number as format_info",
    "format_info",
    () => createMessage({ ...QQ, format_info: wrong(5) }),
  ],
  [
    "createMessage() with a number as template_info",
    "template_info",
    () => createMessage({ ...QQ, template_info: wrong(5) }),
  ],
  [
    "createMessage() with a number as sender_info",
    "sender_info",
    () => createMessage({ ...QQ, sender_info: wrong(5) }),
  ],
  [
    "createMessage() with a number as receiver_info",
    "receiver_info",
    () => createMessage({ ...QQ, receiver_info: wrong(5) }),
  ],
  [
    "createMessage() with a number as raw_message",
    "raw_message",
    () => createMessage({ ...QQ, raw_message: wrong(5) }),
  ],
  ["createReply({})", "to", () => createReply(wrong({}), HI)],
  ["createReply() to a custom message", "to", () => createReply(wrong(createCustom("a", 1, "qq")), HI)],
  ["createReply() with a string as segment", "segs[0]", () => createReply(createMessage(QQ), wrong("hi"))],
  ["createCustom() with an empty name", "name", () => createCustom("", 1, "qq")],
  ["createCustom() with a number as name", "name", () => createCustom(wrong(5), 1, "qq")],
  ["createCustom() without content", "content", () => createCustom("a", undefined, "qq")],
  ["createCustom() with an empty platform", "platform", () => createCustom("a", 1, "")],
  ["createCustom() without a platform", "platform", () => createCustom("a", 1, wrong(undefined))],
];

describe("builders", () => {
  for (const [call, argument, fn] of REFUSED) {
    it(`throw TypeError naming ${argument} when the call is ${call}`, () => void assertThrows(fn, TypeError, argument));
  }

  it("throw without the value in the text when it is base64 that is wrong", () => {
    const error = assertThrows(() => seg.image("SECRETSECRET!"), TypeError);
    assert(!error.message.includes("SECRET"));
  });

  it("leave Object.prototype alone when arguments have __proto__ keys", () => {
    const evil = JSON.parse('{"__proto__":{"polluted":1},"user_id":"1","group_id":"1","polluting":true}');
    createMessage({ ...QQ, user: evil, group: evil, additional_config: evil, template_info: evil }, seg.dict(evil));
    seg.file(evil);
    createCustom("a", evil, "qq");
    assertStrictEquals(Reflect.get({}, "polluted"), undefined);
  });

  it("make no group appear when Object.prototype has one", () => {
    const message = whilePolluted({ group: "9" }, () => createMessage(QQ, HI));
    assert(!Object.hasOwn(message.message_info, "group_info"));
  });

  it("make no base64 appear in a file when Object.prototype has one", () => {
    const file = whilePolluted({ base64: BASE64 }, () => seg.file({ name: "a" }));
    assertEquals(file.data, { name: "a" });
  });
});

/** Finds out whether there is a null or an undefined anywhere. */
function hasNull(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === null || value === undefined;
  return Object.values(value).some(hasNull);
}

function createIds(count: number): string[] {
  return Array.from({ length: count }, () => createMessage(QQ).message_info.message_id ?? "");
}

/** Finds the first id that is not above the one before; -1 if there is none. */
function findDescent(ids: readonly string[]): number {
  return ids.findIndex((id, index) => index > 0 && id <= (ids[index - 1] ?? ""));
}

function withClock<T>(clock: () => number, fn: () => T): T {
  const { now } = Date;
  Date.now = clock;
  try {
    return fn();
  } finally {
    Date.now = now;
  }
}

const EMPTY_USER = { user_id: "1", platform: null, user_nickname: null, user_cardname: null };

const EMPTY_GROUP = { group_id: "9", platform: null, group_name: null };

const NULLS: readonly (readonly [where: string, options: CreateMessageOptions])[] = [
  ["the user", { ...QQ, user: EMPTY_USER }],
  ["the group", { ...QQ, group: EMPTY_GROUP }],
  ["the options", {
    ...QQ,
    group: wrong(null),
    raw_message: wrong(null),
    format_info: wrong(null),
    template_info: wrong(null),
    additional_config: wrong(null),
    sender_info: wrong(null),
    receiver_info: wrong(null),
  }],
  ["format_info", { ...QQ, format_info: { content_format: ["text"], accept_format: null } }],
  ["template_info", { ...QQ, template_info: { template_items: null, template_name: null, template_default: null } }],
  ["sender_info", { ...QQ, sender_info: { user_info: { user_id: "1" }, group_info: null } }],
  ["the user of receiver_info", { ...QQ, receiver_info: { user_info: EMPTY_USER } }],
];

describe("createMessage()", () => {
  it("passes isMessageBase() when only the platform and the user are given", () => {
    assert(isMessageBase(createMessage(QQ)));
  });

  it("fills the nickname with the id when the user is an id", () => {
    assertEquals(createMessage({ platform: "qq", user: "1" }).message_info.user_info, {
      platform: "qq",
      user_id: "1",
      user_nickname: "1",
    });
  });

  it("fills the nickname with the id when the user has none", () => {
    const message = createMessage({ platform: "qq", user: { user_id: "1", user_cardname: "c" } });
    assertEquals(message.message_info.user_info?.user_nickname, "1");
  });

  it("keeps what is there when the user is given in full", () => {
    const user = { platform: "tg", user_id: "1", user_nickname: "n", user_cardname: "c" };
    assertEquals(createMessage({ platform: "qq", user }).message_info.user_info, user);
  });

  it("fills the group's name with the id when the group is an id", () => {
    assertEquals(createMessage({ ...QQ, group: "9" }).message_info.group_info, {
      platform: "qq",
      group_id: "9",
      group_name: "9",
    });
  });

  // MaiBot 1.2.1 answers a group with an empty name as a private chat: protocol.md 3.
  it("fills the group's name with the id when the name is empty", () => {
    const message = createMessage({ ...QQ, group: { group_id: "9", group_name: "" } });
    assertEquals(message.message_info.group_info?.group_name, "9");
  });

  it("keeps what is there when the group is given in full", () => {
    const group = { platform: "tg", group_id: "9", group_name: "g" };
    assertEquals(createMessage({ ...QQ, group }).message_info.group_info, group);
  });

  it("has no group_info when there is no group", () => {
    assert(!Object.hasOwn(createMessage(QQ).message_info, "group_info"));
  });

  it("fills time with now in seconds when there is none", () => {
    const before = Date.now() / 1000;
    const { time } = createMessage(QQ).message_info;
    assert(typeof time === "number" && time >= before && time <= Date.now() / 1000, `${time}`);
  });

  it("keeps the fraction when time is a Date", () => {
    assertEquals(createMessage({ ...QQ, time: new Date(1703123456789) }).message_info.time, 1703123456.789);
  });

  it("keeps time when it is in seconds", () => {
    assertEquals(createMessage({ ...QQ, time: 1703123456.789 }).message_info.time, 1703123456.789);
  });

  it("keeps the last second that Python knows when time is that", () => {
    assertEquals(createMessage({ ...QQ, time: 253_402_300_799 }).message_info.time, 253_402_300_799);
  });

  it("keeps message_id when it is given", () => {
    assertEquals(createMessage({ ...QQ, message_id: "m" }).message_info.message_id, "m");
  });

  it("keeps the rest where it belongs when it is given", () => {
    const rest = {
      format_info: { content_format: ["text"], accept_format: ["text"] },
      template_info: { template_name: "t" },
      additional_config: { at_bot: true, kept: null },
      sender_info: { user_info: { user_id: "1" } },
      receiver_info: { group_info: { group_id: "9" } },
    };
    const { message_info, raw_message } = createMessage({ ...QQ, ...rest, raw_message: "r" });
    const { format_info, template_info, additional_config, sender_info, receiver_info } = message_info;
    assertEquals<unknown>({ format_info, template_info, additional_config, sender_info, receiver_info }, rest);
    assertEquals(raw_message, "r");
  });

  it("makes one flat list when segments are lists", () => {
    const { message_segment } = createMessage(QQ, HI, seg.list(HI, seg.list(HI)));
    assertEquals<unknown>(message_segment, { type: "seglist", data: [HI, HI, HI] });
  });

  for (const [where, options] of NULLS) {
    it(`emits no null when ${where} has some`, () => {
      const message = createMessage(options, HI);
      assert(!hasNull(message), JSON.stringify(message));
    });
  }

  it("makes ids that ascend strictly when called 100,000 times", () => {
    // Ascending strictly, they are unique as well.
    assertEquals(findDescent(createIds(100_000)), -1);
  });

  it("makes ids that ascend strictly when called 100,000 times in one millisecond", () => {
    const now = Date.now();
    assertEquals(findDescent(withClock(() => now, () => createIds(100_000))), -1);
  });

  it("makes ids that ascend when the clock steps back", () => {
    const { now } = Date;
    const first = createIds(1);
    assertEquals(findDescent([...first, ...withClock(() => now() - 60_000, () => createIds(2)), ...createIds(1)]), -1);
  });

  it("leaves its options alone", () => {
    const options: CreateMessageOptions = {
      ...QQ,
      user: { user_id: "1" },
      group: { group_id: "9" },
      time: new Date(1e9),
    };
    const copy = structuredClone(options);
    createMessage(options, HI);
    assertEquals(options, copy);
  });
});

describe("createReply()", () => {
  const group = { platform: "qq", group_id: "9", group_name: "g" };
  const user = { platform: "qq", user_id: "1", user_nickname: "n" };
  const inGroup = createMessage({ platform: "qq", user, group }, HI);

  it("goes to the same platform, group and user when there is a group", () => {
    const { platform, group_info, user_info, receiver_info } = createReply(inGroup, HI).message_info;
    assertEquals<unknown>([platform, group_info, user_info, receiver_info], ["qq", group, user, {
      group_info: group,
      user_info: user,
    }]);
  });

  it("has no group when there was none", () => {
    const { message_info } = createReply(createMessage({ platform: "qq", user }, HI), HI);
    assert(
      !Object.hasOwn(message_info, "group_info") && !Object.hasOwn(message_info.receiver_info ?? {}, "group_info"),
    );
  });

  it("has an id above the message's when that is ours", () => {
    assertLess(inGroup.message_info.message_id ?? "", createReply(inGroup, HI).message_info.message_id ?? "");
  });

  it("has the segments as one flat list", () => {
    assertEquals<unknown>(createReply(inGroup, seg.reply("m"), seg.list(HI)).message_segment, {
      type: "seglist",
      data: [{ type: "reply", data: "m" }, HI],
    });
  });

  it("emits no null when the message is full of them", () => {
    const to: MessageBase = {
      message_info: {
        ...{ platform: "qq", message_id: null, time: null, format_info: null, template_info: null },
        ...{ sender_info: null, receiver_info: null, additional_config: null },
        group_info: EMPTY_GROUP,
        user_info: EMPTY_USER,
      },
      message_segment: HI,
      raw_message: null,
    };
    const message = createReply(to, HI);
    assert(!hasNull(message) && isMessageBase(message), JSON.stringify(message));
  });

  it("passes isMessageBase() when the message names nobody", () => {
    assert(isMessageBase(createReply({ message_info: { platform: "qq" }, message_segment: HI }, HI)));
  });
});

describe("createCustom()", () => {
  // The order of maim_message 0.6.8: protocol.md 2.2.
  it("has its keys in the order of the reference", () => {
    assertEquals(Object.keys(createCustom("poke", 1, "qq")), [
      ...["platform", "message_type_name", "content", "timestamp", "is_custom_message"],
    ]);
  });

  for (const content of [null, false, 0, "", [], { a: 1 }]) {
    it(`passes isCustomMessage() when content is ${show(content)}`, () => {
      assert(isCustomMessage(createCustom("poke", content, "qq")));
    });
  }

  it("has a timestamp in seconds", () => {
    const before = Date.now() / 1000;
    const { timestamp } = createCustom("poke", 1, "qq");
    assert(typeof timestamp === "number" && timestamp >= before && timestamp <= Date.now() / 1000, `${timestamp}`);
  });
});
