import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";

import { hintOf, type MaibotIssue, maibotIssues, type MaibotRule } from "../../maibot/mod.ts";
import { maibotLogLine } from "../../maibot/log_line.ts";
import { RULES } from "../../maibot/rules.ts";
import { MessageClient, MessageRejectedError, MessageServer } from "../../mod.ts";
import { createCustom, createMessage, createReply, type MessageBase, type Seg, seg } from "../../schema.ts";
import { ABSENT, nestedLists, putAt, show, whilePolluted, wrong } from "../support/samples.ts";
import { acceptVectors } from "../support/maibot_vectors.ts";
import { seedVectors } from "../support/vectors.ts";

const INFO = "$.message_info";
const USER = `${INFO}.user_info`;
const GROUP = `${INFO}.group_info`;
const CONFIG = `${INFO}.additional_config`;
const SEG = "$.message_segment";
const ITEM = `${SEG}.data[0]`;

/** A group message that MaiBot takes, as `JSON.parse` gives it. */
function taken(): Record<string, unknown> {
  const user_info = { platform: "qq", user_id: "1", user_nickname: "n" };
  const group_info = { platform: "qq", group_id: "9", group_name: "g" };
  return JSON.parse(JSON.stringify({
    message_info: { platform: "qq", message_id: "m", time: 1703123456.789, user_info, group_info },
    message_segment: { type: "seglist", data: [{ type: "text", data: "hi" }] },
  }));
}

/** The same with other values at some paths. */
function changed(...changes: readonly (readonly [path: string, value: unknown])[]): Record<string, unknown> {
  const message = taken();
  for (const [path, value] of changes) putAt(message, path, value);
  return message;
}

/** The same with one segment. */
function holding(type: unknown, data: unknown): Record<string, unknown> {
  return changed([ITEM, { type, data }]);
}

const brief = (issues: readonly MaibotIssue[]): string[] => issues.map(({ rule, path }) => `${rule} ${path}`);
const drops = (message: unknown): MaibotIssue[] => maibotIssues(message).filter(({ level }) => level === "drop");

// ------------------------------------------------------------------------------------------ recorded verdicts

/** The member each row was written to spoil; of the unsupported segments it is always the type. */
const TRIPPED: Readonly<Record<string, string>> = {
  seed_js_client_text_no_nickname: `${USER}.user_nickname`,
  seed_js_client_group_no_names: `${USER}.user_nickname`,
  nickname_missing: `${USER}.user_nickname`,
  nickname_null: `${USER}.user_nickname`,
  user_id_missing: `${USER}.user_id`,
  user_info_null: USER,
  user_info_empty_object: `${USER}.user_id`,
  group_name_missing: `${GROUP}.group_name`,
  group_id_missing: `${GROUP}.group_id`,
  group_info_empty_object: `${GROUP}.group_id`,
  message_id_empty: `${INFO}.message_id`,
  time_missing: `${INFO}.time`,
  time_zero: `${INFO}.time`,
  time_string: `${INFO}.time`,
  time_milliseconds: `${INFO}.time`,
  time_nanoseconds: `${INFO}.time`,
  time_null: `${INFO}.time`,
  platform_missing: `${INFO}.platform`,
  platform_number: `${INFO}.platform`,
  message_info_missing: INFO,
  top_level_null: "$",
  bare_unknown: `${SEG}.type`,
  bare_notify: `${SEG}.type`,
  bare_forward: `${SEG}.type`,
  nested_seglist: `${ITEM}.type`,
  seg_type_missing: `${ITEM}.type`,
  one_bad_segment_drops_whole_message: `${SEG}.data[1].type`,
};

function trippedOn(name: string): string {
  return TRIPPED[name] ?? (name.startsWith("unsupported_") ? `${ITEM}.type` : `${ITEM}.data`);
}

describe("maibotIssues() says what MaiBot 1.2.1 itself said", () => {
  for (const { name, input, dropped } of acceptVectors) {
    it(name, () => {
      const found = drops(input);
      assertEquals(found[0]?.path, dropped === null ? undefined : trippedOn(name));
      const text = dropped?.slice(dropped.indexOf(":") + 2);
      assertEquals(maibotLogLine(input), dropped === null ? null : `预处理消息失败: ${text}`);
    });
  }
});

// ------------------------------------------------------------------------------------------ every rule

/** A rule, a message that breaks it and nothing else, where, and the nearest ones that break none at all. */
type RuleRow = readonly [rule: MaibotRule, path: string, broken: unknown, ...fine: readonly unknown[]];

const at = (path: string, value: unknown): Record<string, unknown> => changed([path, value]);
const private_ = (...changes: readonly (readonly [string, unknown])[]): unknown => changed([GROUP, ABSENT], ...changes);
const echo = (content: unknown): unknown => createCustom("message_id_echo", content, "qq");
const ECHO = { type: "echo", echo: "send_api_1", actual_id: "7" };

const RULE_ROWS: readonly RuleRow[] = [
  ["not_object", "$", [taken()]],
  ["not_object", "$", "hi"],
  ["onebot_frame", INFO, { post_type: "message", self_id: 1, message: [] }],
  ["custom_nameless", "$.message_type_name", { ...taken(), is_custom_message: 1 }, {
    ...taken(),
    is_custom_message: 0,
  }],
  ["custom_nameless", "$.message_type_name", { is_custom_message: true, message_type_name: "", content: 1 }],
  ["custom_unknown", "$.message_type_name", createCustom("poke", {}, "qq")],
  ["echo_incomplete", "$.content", echo("x"), echo(ECHO)],
  ["echo_incomplete", "$.content.type", echo({ ...ECHO, type: "ack" })],
  ["echo_incomplete", "$.content.echo", echo({ ...ECHO, echo: " " })],
  ["echo_incomplete", "$.content.actual_id", echo({ ...ECHO, actual_id: 0 }), echo({ ...ECHO, actual_id: 7 })],
  // Without the flag, the name alone leads it to the handler of echoes.
  ["echo_incomplete", "$.content", { ...taken(), message_type_name: "message_id_echo" }, {
    ...taken(),
    message_type_name: "poke",
  }],

  ["message_info", INFO, at(INFO, ABSENT)],
  ["message_info", INFO, at(INFO, null)],
  ["message_info", INFO, at(INFO, [])],
  ["platform_kind", `${INFO}.platform`, at(`${INFO}.platform`, ABSENT)],
  ["platform_kind", `${INFO}.platform`, at(`${INFO}.platform`, 5)],
  ["platform_empty", `${INFO}.platform`, at(`${INFO}.platform`, ""), at(`${INFO}.platform`, " ")],
  ["message_id_empty", `${INFO}.message_id`, at(`${INFO}.message_id`, ""), at(`${INFO}.message_id`, 0)],
  ["message_id_missing", `${INFO}.message_id`, at(`${INFO}.message_id`, null)],
  ["message_id_missing", `${INFO}.message_id`, at(`${INFO}.message_id`, ABSENT)],
  ["id_kind", `${INFO}.message_id`, at(`${INFO}.message_id`, true), at(`${INFO}.message_id`, 12345)],
  ["id_kind", `${USER}.user_id`, at(`${USER}.user_id`, ["1"]), at(`${USER}.user_id`, 1)],
  ["id_kind", `${GROUP}.group_id`, at(`${GROUP}.group_id`, {}), at(`${GROUP}.group_id`, 5)],
  ["time_missing", `${INFO}.time`, at(`${INFO}.time`, 0)],
  ["time_missing", `${INFO}.time`, at(`${INFO}.time`, "")],
  ["time_missing", `${INFO}.time`, at(`${INFO}.time`, false)],
  ["time_kind", `${INFO}.time`, at(`${INFO}.time`, "1703123456"), at(`${INFO}.time`, 1703123456)],
  ["time_kind", `${INFO}.time`, at(`${INFO}.time`, [1703123456])],
  ["time_range", `${INFO}.time`, at(`${INFO}.time`, 1703123456789)],
  ["time_range", `${INFO}.time`, at(`${INFO}.time`, 253_402_300_800)],
  ["time_range", `${INFO}.time`, at(`${INFO}.time`, -62_135_510_401)],
  ["time_range", `${INFO}.time`, at(`${INFO}.time`, NaN)],
  ["time_unlikely", `${INFO}.time`, at(`${INFO}.time`, 253_402_300_799)],
  ["time_unlikely", `${INFO}.time`, at(`${INFO}.time`, -62_135_510_400)],
  ["time_unlikely", `${INFO}.time`, at(`${INFO}.time`, true)],
  ["time_unlikely", `${INFO}.time`, at(`${INFO}.time`, 946_684_799.9), at(`${INFO}.time`, 946_684_800)],
  ["time_unlikely", `${INFO}.time`, at(`${INFO}.time`, 4_102_444_800), at(`${INFO}.time`, 4_102_444_799)],

  ["user_info_missing", USER, at(USER, null)],
  ["user_info_missing", USER, changed([USER, ABSENT], [`${INFO}.sender_info`, { user_info: { user_id: "1" } }])],
  ["user_info_kind", USER, at(USER, "1")],
  ["user_info_kind", USER, at(USER, [])],
  ["user_id_missing", `${USER}.user_id`, at(`${USER}.user_id`, ABSENT)],
  ["user_id_null", `${USER}.user_id`, at(`${USER}.user_id`, null)],
  ["user_id_empty", `${USER}.user_id`, private_([`${USER}.user_id`, ""]), private_()],
  ["user_id_empty", `${USER}.user_id`, changed([GROUP, null], [`${USER}.user_id`, ""]), at(GROUP, null)],
  ["user_id_blank", `${USER}.user_id`, at(`${USER}.user_id`, "")],
  ["nickname", `${USER}.user_nickname`, at(`${USER}.user_nickname`, ABSENT), at(`${USER}.user_nickname`, "")],
  ["nickname", `${USER}.user_nickname`, at(`${USER}.user_nickname`, null), at(`${USER}.platform`, ABSENT)],
  ["nickname", `${USER}.user_nickname`, at(`${USER}.user_nickname`, 42), at(`${USER}.user_cardname`, 42)],
  ["group_info_kind", GROUP, at(GROUP, "9")],
  ["group_info_kind", GROUP, at(GROUP, false)],
  ["group_id_missing", `${GROUP}.group_id`, at(`${GROUP}.group_id`, ABSENT)],
  ["group_id_null", `${GROUP}.group_id`, at(`${GROUP}.group_id`, null)],
  ["group_id_empty", `${GROUP}.group_id`, at(`${GROUP}.group_id`, "")],
  ["group_name", `${GROUP}.group_name`, at(`${GROUP}.group_name`, ABSENT)],
  ["group_name", `${GROUP}.group_name`, at(`${GROUP}.group_name`, 5)],
  ["group_name_empty", `${GROUP}.group_name`, at(`${GROUP}.group_name`, "")],
  [
    "party_kind",
    `${INFO}.sender_info.user_info`,
    at(`${INFO}.sender_info`, { user_info: "1" }),
    at(`${INFO}.sender_info`, { user_info: null, group_info: {} }),
    at(`${INFO}.sender_info`, "1"),
  ],
  [
    "party_kind",
    `${INFO}.receiver_info.group_info`,
    at(`${INFO}.receiver_info`, { group_info: [] }),
    at(`${INFO}.receiver_info`, []),
    at(`${INFO}.format_info`, "x"),
  ],

  ["segment_kind", SEG, at(SEG, ABSENT)],
  ["segment_kind", SEG, at(SEG, null)],
  ["segment_kind", SEG, at(SEG, "hi")],
  ["segment_kind", ITEM, at(ITEM, null)],
  ["segment_kind", ITEM, at(ITEM, "hi")],
  ["segment_type", `${SEG}.type`, at(SEG, { type: "poke", data: "x" }), at(SEG, { type: "text", data: "x" })],
  ["segment_type", `${SEG}.type`, at(SEG, { type: "Seglist", data: [] })],
  ["segment_type", `${SEG}.type`, at(SEG, {})],
  ["segment_type", `${ITEM}.type`, holding("face", 14), holding("text", "")],
  ["segment_type", `${ITEM}.type`, holding(null, "x")],
  ["segment_type", `${ITEM}.type`, holding("forward", [])],
  ["list_kind", `${SEG}.data`, at(`${SEG}.data`, null)],
  ["list_kind", `${SEG}.data`, at(`${SEG}.data`, 5)],
  ["list_kind", `${SEG}.data`, at(`${SEG}.data`, "hi")],
  ["list_kind", `${SEG}.data`, at(`${SEG}.data`, { a: 1 })],
  ["list_nested", `${ITEM}.type`, holding("seglist", [{ type: "text", data: "x" }])],
  ["list_empty", `${SEG}.data`, at(`${SEG}.data`, [])],
  ["list_empty", `${SEG}.data`, at(`${SEG}.data`, "")],
  ["list_empty", `${SEG}.data`, at(`${SEG}.data`, {})],
  ["text_kind", `${ITEM}.data`, holding("text", 5)],
  ["text_kind", `${ITEM}.data`, holding("text", new Uint8Array(3))],
  ["text_kind", `${ITEM}.data`, at(ITEM, { type: "text" })],
  ["reply_kind", `${ITEM}.data`, holding("reply", 5), holding("reply", "5")],
  ["reply_empty", `${ITEM}.data`, holding("reply", " ")],
  ["at_kind", `${ITEM}.data`, holding("at", 123), holding("at", "123")],
  ["at_kind", `${ITEM}.data`, holding("at", [])],
  ["at_nobody", `${ITEM}.data`, holding("at", {}), holding("at", { qq: 5 }), holding("at", { qq: "", id: "5" })],
  ["at_nobody", `${ITEM}.data`, holding("at", { user_id: " ", nickname: "n" }), holding("at", { qq: 0 })],
  ["at_nobody", `${ITEM}.data`, holding("at", "")],
  ["file_kind", `${ITEM}.data`, holding("file", "/data/a.txt"), holding("file", { name: "a.txt" })],
  ["file_kind", `${ITEM}.data`, holding("file", new Blob(["x"])), holding("file", { base64: new Uint8Array(3) })],
  ["dict_kind", `${ITEM}.data`, holding("dict", []), holding("dict", { type: "file", data: 1 })],
  ["base64_kind", `${ITEM}.data`, holding("image", { url: "x" })],
  ["base64_kind", `${ITEM}.data`, holding("voice", null), holding("voice", new Blob(["x"]))],
  ["base64_ascii", `${ITEM}.data`, holding("emoji", "😀")],
  ["base64_ascii", `${ITEM}.data`, holding("image", "AQID：")],
  ["base64_broken", `${ITEM}.data`, holding("image", "data:image/png;base64,iVBORw0KGgoxMjM0NTY=")],
  ["base64_broken", `${ITEM}.data`, holding("emoji", "smile")],
  ["base64_broken", `${ITEM}.data`, holding("voice", "AQI"), holding("voice", "AQI=")],
  ["base64_broken", `${ITEM}.data`, holding("image", "AQ="), holding("image", "AQ==")],
  ["base64_broken", `${ITEM}.data`, at(SEG, { type: "image", data: "A" }), at(SEG, { type: "image", data: "AQID" })],
  ["base64_broken", `${ITEM}.data`, holding("image", "AQ=IDAQ="), holding("image", " /+/+")],
  ["base64_garbled", `${ITEM}.data`, holding("image", "base64://iVBORw0KGgoxMjM0NTY=")],
  ["base64_garbled", `${ITEM}.data`, holding("image", "_-_-"), holding("image", "/+/+")],
  ["base64_garbled", `${ITEM}.data`, holding("voice", "http://x/a.wav"), holding("voice", "httpxawavx++")],
  ["base64_garbled", `${ITEM}.data`, holding("image", "AQ==AQID"), holding("image", "AQ==\n")],
  [
    "base64_garbled",
    `${ITEM}.data`,
    holding("image", "A=QID"),
    holding("image", " AQ\r\nID\t"),
    holding("image", "AQ==="),
  ],
  ["base64_empty", `${ITEM}.data`, holding("image", "")],
  ["base64_empty", `${ITEM}.data`, holding("emoji", " \n")],
  ["base64_empty", `${ITEM}.data`, holding("image", new Uint8Array()), holding("image", new Uint8Array(1))],
  ["base64_empty", `${ITEM}.data`, holding("voice", new Blob([])), holding("voice", new Blob(["x"]).stream())],

  ["config_kind", CONFIG, at(CONFIG, "x"), at(CONFIG, null), at(CONFIG, ""), at(CONFIG, [])],
  ["is_mentioned", `${CONFIG}.is_mentioned`, at(CONFIG, { is_mentioned: "yes" }), at(CONFIG, { is_mentioned: "0.5" })],
  [
    "is_mentioned",
    `${CONFIG}.is_mentioned`,
    at(CONFIG, { is_mentioned: "1_" }),
    at(CONFIG, { is_mentioned: " 1_0e2 " }),
  ],
  ["is_mentioned", `${CONFIG}.is_mentioned`, at(CONFIG, { is_mentioned: [1] }), at(CONFIG, { is_mentioned: [] })],
  [
    "is_mentioned",
    `${CONFIG}.is_mentioned`,
    at(CONFIG, { at_bot: true, is_mentioned: [] }),
    at(CONFIG, { at_bot: true, is_mentioned: "" }),
    at(CONFIG, { at_bot: "yes", is_mentioned: true }),
    at(CONFIG, { at_bot: true, is_mentioned: null }),
  ],
  [
    "local_operator",
    `${CONFIG}.is_local_operator`,
    at(CONFIG, { is_local_operator: true }),
    at(CONFIG, { is_local_operator: false }),
  ],
];

/** In a bare segment, data stands one level higher. */
function pathIn(message: unknown, path: string): string {
  const { message_segment } = message as { message_segment?: { type?: unknown } }; // the tables hold nothing else
  return message_segment?.type === "seglist" ? path : path.replace(ITEM, SEG);
}

describe("maibotIssues() knows each rule, and what comes near without breaking it", () => {
  for (const [index, [rule, path, broken, ...fine]] of RULE_ROWS.entries()) {
    it(`${rule} at ${path} (row ${index})`, () => {
      const where = path.startsWith(`${ITEM}.data`) ? pathIn(broken, path) : path;
      assertEquals(brief(maibotIssues(broken)), [`${rule} ${where}`]);
      assertEquals(maibotIssues(broken)[0]?.level, RULES[rule].level);
      assertEquals(fine.map((message) => brief(maibotIssues(message))), fine.map(() => []));
    });
  }

  it("has a row for every rule", () => {
    const seen = new Set(RULE_ROWS.map(([rule]) => rule));
    assertEquals(Object.keys(RULES).filter((rule) => !seen.has(rule as MaibotRule)), []);
  });

  for (const type of ["text", "image", "emoji", "voice", "at", "reply"]) {
    it(`takes ${type} bare and in a list`, () => {
      assertEquals(maibotIssues(holding(type, "AQID")), []);
      assertEquals(maibotIssues(at(SEG, { type, data: "AQID" })), []);
      assertEquals(drops(at(SEG, { type, data: 5 })).map(({ path }) => path), [`${SEG}.data`]);
    });
  }
  for (const type of ["file", "dict"]) {
    it(`takes ${type} bare and in a list`, () => {
      assertEquals(maibotIssues(holding(type, {})), []);
      assertEquals(maibotIssues(at(SEG, { type, data: {} })), []);
      assertEquals(drops(at(SEG, { type, data: "x" })).map(({ path }) => path), [`${SEG}.data`]);
    });
  }
});

// ------------------------------------------------------------------------------------------ all of them, in order

describe("maibotIssues()", () => {
  it("tells every reason in the order in which MaiBot comes upon them", () => {
    const message = changed(
      [`${INFO}.sender_info`, { user_info: 1 }],
      [`${INFO}.platform`, ""],
      [`${INFO}.message_id`, ABSENT],
      [`${INFO}.time`, "now"],
      [`${USER}.user_nickname`, null],
      [`${GROUP}.group_id`, ABSENT],
      [`${GROUP}.group_name`, ABSENT],
      [SEG, { type: "seglist", data: [{ type: "face", data: 1 }, null, { type: "image", data: "_-_-" }] }],
      [CONFIG, { is_local_operator: true }],
    );
    assertEquals(brief(maibotIssues(message)), [
      `group_id_missing ${GROUP}.group_id`,
      `party_kind ${INFO}.sender_info.user_info`,
      `segment_kind ${SEG}.data[1]`,
      `message_id_missing ${INFO}.message_id`,
      `time_kind ${INFO}.time`,
      `segment_type ${SEG}.data[0].type`,
      `base64_garbled ${SEG}.data[2].data`,
      `nickname ${USER}.user_nickname`,
      `group_name ${GROUP}.group_name`,
      `platform_empty ${INFO}.platform`,
      `local_operator ${CONFIG}.is_local_operator`,
    ]);
  });

  it("takes a group without an id for a private chat, which needs a user", () => {
    const nobody = changed([`${GROUP}.group_id`, ""], [`${USER}.user_id`, ""]);
    assertEquals(brief(maibotIssues(nobody)), [
      `group_id_empty ${GROUP}.group_id`,
      `user_id_empty ${USER}.user_id`,
    ]);
  });

  it("looks into nested lists, for once they are flattened", () => {
    const inner = { type: "seglist", data: [{ type: "seglist", data: [5] }, { type: "text", data: 5 }] };
    assertEquals(brief(maibotIssues(at(ITEM, inner))), [
      `segment_kind ${ITEM}.data[0].data[0]`,
      `list_nested ${ITEM}.type`,
      `list_nested ${ITEM}.data[0].type`,
      `text_kind ${ITEM}.data[1].data`,
    ]);
  });

  it("ends when lists nest without end", () => {
    const message = at(SEG, JSON.parse(nestedLists(3000)));
    assertEquals(drops(message)[0]?.rule, "list_nested");
  });

  it("looks at the segments even where message_info is missing", () => {
    assertEquals(brief(maibotIssues({ message_segment: { type: "face" } })), [
      `message_info ${INFO}`,
      `segment_type ${SEG}.type`,
    ]);
  });

  it("sees an object's own members only", () => {
    whilePolluted({ is_custom_message: true, user_nickname: "n", post_type: "x" }, () => {
      const broken = at(`${USER}.user_nickname`, ABSENT);
      assertEquals(brief(maibotIssues(broken)), [`nickname ${USER}.user_nickname`]);
      assertEquals(brief(maibotIssues({})), [`message_info ${INFO}`, `segment_kind ${SEG}`]);
    });
  });

  it("leaves the message as it is", () => {
    const message = changed([`${USER}.user_id`, 5], [ITEM, { type: "image", data: "A" }]);
    const before = JSON.stringify(message);
    maibotIssues(message);
    assertEquals(JSON.stringify(message), before);
  });

  it("reads 8 MiB of base64 without a copy for each character", () => {
    assertEquals(maibotIssues(holding("image", "QUJD".repeat(2 ** 21))), []);
    assertEquals(drops(holding("image", `${"QUJD".repeat(2 ** 21)}Q`))[0]?.rule, "base64_broken");
  });
});

// ------------------------------------------------------------------------------------------ texts

describe("hintOf()", () => {
  for (const rule of Object.keys(RULES) as MaibotRule[]) {
    it(`${rule} has a hint in both languages, and its source`, () => {
      const [en, zh] = [hintOf({ rule }, "en"), hintOf({ rule }, "zh")];
      assertMatch(zh, /[\u4e00-\u9fff].*（(MaiBot 1\.2\.1|maim_message 0\.6\.8), .+）$/);
      assertMatch(en, /^[^\u4e00-\u9fff]+ \((MaiBot 1\.2\.1|maim_message 0\.6\.8), .+\)$/);
    });
  }

  it("is the hint of the issue in English", () => {
    const [issue] = maibotIssues(null);
    assert(issue !== undefined);
    assertEquals(issue.hint, hintOf(issue, "en"));
  });
});

describe("maibotLogLine()", () => {
  const ROWS: readonly (readonly [message: unknown, line: string | null])[] = [
    [taken(), null],
    [5, "预处理消息失败: 'int' object is not subscriptable"],
    [[], "预处理消息失败: list indices must be integers or slices, not str"],
    [at(INFO, "x"), "预处理消息失败: 'str' object has no attribute 'get'"],
    [at(USER, true), "预处理消息失败: 'bool' object is not subscriptable"],
    [at(`${SEG}.data`, 1.5), "预处理消息失败: 'float' object is not iterable"],
    [at(SEG, { type: true }), "预处理消息失败: 暂时不支持的消息片段类型: True"],
    [at(`${INFO}.time`, -1e12), "预处理消息失败: year -29719 is out of range"],
    [at(`${INFO}.time`, 1e18), "预处理消息失败: [Errno 75] Value too large for defined data type"],
    [at(`${INFO}.time`, 1e300), "预处理消息失败: timestamp out of range for platform time_t"],
    [private_([`${USER}.user_id`, ""]), "预处理消息失败: UserID 或 GroupID 必须提供其一"],
    [at(`${INFO}.platform`, ""), "预处理消息失败: 消息缺少平台信息"],
    [at(`${USER}.user_id`, null), null],
    [createCustom("poke", {}, "qq"), "收到未注册的自定义消息类型: poke"],
    [createCustom("p".repeat(41), {}, "qq"), `收到未注册的自定义消息类型: ${"p".repeat(40)}…`],
    [at(SEG, { type: "A".repeat(5000) }), `预处理消息失败: 暂时不支持的消息片段类型: ${"A".repeat(40)}…`],
    [at(SEG, { type: { A: "A" } }), "预处理消息失败: 暂时不支持的消息片段类型: {...}"],
    [{ is_custom_message: true }, "收到未注册的自定义消息类型: None"],
    [echo({ type: "echo" }), null],
  ];
  for (const [message, line] of ROWS) {
    it(`is ${line} for ${show(message).slice(0, 60)}`, () => assertEquals(maibotLogLine(message), line));
  }
});

// ------------------------------------------------------------------------------------------ the builders

/** The full count is 100000; `MAIM_BUILDER_CALLS` sets it. */
const CALLS = Number(process.env.MAIM_BUILDER_CALLS ?? "2000");

const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 9 }),
  fc.base64String({ maxLength: 12 }),
  fc.constantFrom<unknown>(
    "",
    " ",
    "😀",
    "data:image/png;base64,AQID",
    "http://x/a.wav",
    null,
    undefined,
    0,
    NaN,
    true,
    [],
    {},
  ),
  fc.uint8Array({ maxLength: 5 }),
  fc.double(),
  fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue(), { maxKeys: 2 }),
);
/** What belongs there, and now and then something else. */
function mostly(good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: anything });
}

const name = mostly(fc.string({ unit: "binary", minLength: 1, maxLength: 4 }));
const object = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue(), { maxKeys: 2 });
const bytes = mostly(fc.oneof(fc.base64String({ maxLength: 12 }), fc.uint8Array({ maxLength: 5 })));
const call = fc.tuple(
  fc.oneof(
    fc.tuple(fc.constantFrom("text", "at", "reply" as const), name),
    fc.tuple(fc.constantFrom("image", "emoji", "voice" as const), bytes),
    fc.tuple(fc.constantFrom("file", "dict" as const), mostly(object)),
    fc.tuple(fc.constantFrom("file" as const), fc.record({ name, base64: bytes })),
  ),
  fc.boolean(),
);
function party(id: string, label: string): fc.Arbitrary<unknown> {
  return fc.oneof(name, fc.record({ [id]: name, [label]: name, platform: name }, { requiredKeys: [id] }));
}
const options = fc.record({
  platform: name,
  user: party("user_id", "user_nickname"),
  group: party("group_id", "group_name"),
  message_id: name,
  time: mostly(fc.oneof(fc.date({ min: new Date(1) }), fc.double({ min: 1, max: 2.5e11, noNaN: true }))),
  additional_config: mostly(fc.record({ at_bot: fc.boolean(), is_mentioned: fc.jsonValue() })),
  sender_info: mostly(fc.record({ user_info: party("user_id", "user_nickname"), group_info: anything })),
  receiver_info: mostly(fc.record({ user_info: fc.record({ user_id: name }) })),
  format_info: mostly(fc.record({ accept_format: fc.array(fc.string()) })),
}, { requiredKeys: ["platform", "user"], noNullPrototype: true });

/** Builds what the call asks for; of a list one that holds another. */
function build([[type, argument], isListed]: readonly [readonly [keyof typeof seg, unknown], boolean]): Seg {
  const piece = seg[type](wrong(argument));
  return isListed ? seg.list(seg.list(piece), piece) : piece;
}

describe("createMessage()", () => {
  it(`makes nothing that MaiBot drops in ${CALLS} calls, or names the argument`, () => {
    let made = 0;
    fc.assert(
      fc.property(options, fc.array(call, { maxLength: 3 }), (given, calls) => {
        let message: MessageBase;
        try {
          message = createMessage(wrong(given), ...calls.map(build));
        } catch (error) {
          assert(error instanceof TypeError);
          assertMatch(error.message, /^Cannot create .+ as ('[\w.[\]]+'|\$\.[\w.[\]]+) must be /);
          return;
        }
        made++;
        assertEquals(brief(drops(JSON.parse(JSON.stringify(message)))), []);
      }),
      { numRuns: CALLS },
    );
    assert(made > CALLS / 10, `only ${made} messages were made`);
  });

  it("makes nothing that MaiBot drops of arguments that are right", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 });
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 9 });
    const piece = fc.oneof(
      fc.string({ unit: "binary" }).map((value) => seg.text(value)),
      fc.tuple(fc.constantFrom("image", "emoji", "voice" as const), bytes).map(([type, data]) => seg[type](data)),
      fc.tuple(fc.constantFrom("at", "reply" as const), text).map(([type, data]) => seg[type](data)),
      bytes.map((base64) => seg.file({ name: "a", base64 })),
      fc.dictionary(text, fc.jsonValue(), { maxKeys: 2 }).map((data) => seg.dict(data)),
    );
    const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), pieces, (platform, user, group, segs) => {
        const where = group === undefined ? {} : { group };
        const message = createMessage({ platform, user, ...where }, seg.list(...segs), ...segs);
        // Of white space alone a reply quotes nothing.
        const found = maibotIssues(message).filter(({ rule }) => rule !== "reply_empty");
        assertEquals(brief(found), []);
        assertEquals(drops(createReply(message, ...segs)), []);
      }),
      { numRuns: CALLS },
    );
  });
});

// ------------------------------------------------------------------------------------------ the seed

const SEED = new URL("../../../shared/seed/websocket_api.zh.md", import.meta.url);

/** The class of the document's JavaScript example, with a socket that keeps what is sent. */
function seedClient(sent: unknown[]): Record<string, (...args: unknown[]) => void> {
  const block = readFileSync(SEED, "utf8").split("```").find((each) => each.includes("sendTextMessage(platform,"));
  const code = block?.slice("javascript\n".length).split("// 使用示例")[0];
  assert(code !== undefined);
  const Client = new Function(`${code}; return MaimMessageClient;`)();
  const ws = { send: (text: string) => sent.push(JSON.parse(text)) };
  return Object.assign(new Client("ws://x/ws", "my_platform"), { connected: true, ws });
}

describe("maibotIssues() of the seed", () => {
  for (const [name, message] of Object.entries(seedVectors.messages)) {
    if (name === "basic_structure") continue;
    it(`takes its message ${name}`, () => {
      // In the document the picture ends in "...": its base64 is cut short.
      const isCut = JSON.stringify(message).includes("...");
      assertEquals(brief(drops(message)), []);
      assertEquals(brief(maibotIssues(message)), isCut ? [`base64_garbled ${SEG}.data[1].data`] : []);
    });
  }

  it("drops its emoji example", () => {
    assertEquals(drops(at(ITEM, seedVectors.segments.emoji)).map(({ rule }) => rule), ["base64_ascii"]);
  });

  const test = existsSync(SEED) ? it : it.skip;
  test("drops what its JavaScript example sends, for want of names", () => {
    const sent: unknown[] = [];
    const client = seedClient(sent);
    client.sendTextMessage?.("my_platform", "user123", "你好，这是测试消息！");
    client.sendTextMessage?.("my_platform", "user123", "你好", "group1");
    const info = { platform: "my_platform", message_id: "m", time: 1703123456.5, user_info: { user_id: "user123" } };
    client.sendMessage?.(info, [{ type: "text", data: "请查看：" }, { type: "image", data: "base64_image_data_here" }]);
    assertEquals(sent.map((message) => brief(drops(message))), [
      [`nickname ${USER}.user_nickname`],
      [`nickname ${USER}.user_nickname`, `group_name ${GROUP}.group_name`],
      [`base64_broken ${SEG}.data[1].data`, `nickname ${USER}.user_nickname`],
    ]);
  });
});

describe("maibotIssues() lists", () => {
  const face = seg.of("face", 14); // a drop
  const nobody = seg.of("at", ""); // damage
  const holds = (...pieces: Seg[]): unknown => at(SEG, { type: "seglist", data: pieces });
  const times = (count: number, piece: Seg): Seg[] => Array.from({ length: count }, () => piece);

  it("the first 100", () => {
    const issues = maibotIssues(holds(...times(1000, face)));
    assertEquals(
      issues.map(({ path }) => path),
      Array.from({ length: 100 }, (_, index) => `${SEG}.data[${index}].type`),
    );
  });

  it("the first drop as well where 1000 others stand before it", () => {
    const issues = maibotIssues(holds(...times(1000, nobody), face, face));
    assertEquals(brief(issues.slice(100)), [`segment_type ${SEG}.data[1000].type`]);
    assertEquals(new Set(issues.slice(0, 100).map(({ rule }) => rule)), new Set(["at_nobody"]));
  });

  it("no later drop where one stands among the first", () => {
    const issues = maibotIssues(holds(face, ...times(1000, nobody), face));
    assertEquals([issues.length, drops(holds(face, ...times(1000, nobody), face)).length], [100, 1]);
  });
});

describe("maibotIssues() ends", () => {
  const list = (data: unknown[]): Seg => ({ type: "seglist", data: data as Seg[] });

  it("for a list that holds itself twice", () => {
    const data: unknown[] = [];
    data.push(list(data), list(data), seg.text("a"));
    assertEquals(
      brief(maibotIssues(at(SEG, list(data)))),
      [0, 1].map((index) => `list_nested ${SEG}.data[${index}].type`),
    );
  });

  it("for a list that stands 2^32 times in a message", () => {
    let piece: Seg = seg.text("a");
    for (let depth = 0; depth < 32; depth++) piece = list([piece, piece]);
    assertEquals(drops(at(SEG, piece))[0]?.rule, "list_nested");
  });

  it("for a type or an id that stands so often, or holds itself", () => {
    let twice: unknown = [];
    for (let depth = 0; depth < 64; depth++) twice = [twice, twice];
    const own: unknown[] = [];
    own.push(own, own);
    for (const value of [twice, own]) {
      assertEquals(drops(at(`${SEG}.data`, [{ type: value, data: { qq: value } }]))[0]?.rule, "segment_type");
      assertEquals(brief(maibotIssues(holding("at", { qq: value }))), []);
      assertEquals(brief(maibotIssues(at(`${INFO}.message_id`, value))), [`id_kind ${INFO}.message_id`]);
    }
  });

  it("so that a client refuses such a message", async () => {
    await using server = new MessageServer();
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", validate: maibotIssues });
    await client.connect();
    const data: unknown[] = [];
    data.push(list(data), list(data));
    const message = { ...createMessage({ platform: "qq", user: "1" }, seg.text("a")), message_segment: list(data) };
    assertThrows(() => client.send(message), MessageRejectedError, "list_nested");
  });
});

describe("maibotIssues() of JSON deeper than the stack", () => {
  for (const member of ["type", "data"]) {
    it(`answers when it is the ${member} of a segment`, () => {
      const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
      const message = createMessage({ platform: "qq", user: "1" }, seg.text("a"));
      const issues = maibotIssues({ ...message, message_segment: { type: "text", data: "a", [member]: deep } });
      assertEquals(issues[0]?.level, "drop");
    });
  }
});
