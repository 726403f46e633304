import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { maibotIssues, type MaibotIssuesOptions, type MaibotRule } from "../../maibot/mod.ts";
import { PythonFloat } from "../../maibot/python/number.ts";
import { MAIBOT_VERSIONS, RULES } from "../../maibot/rules.ts";
import { createCustom } from "../../schema.ts";
import {
  ACCOUNT,
  at,
  brief,
  changed,
  CONFIG,
  drops,
  ECHO,
  echo,
  GROUP,
  holding,
  INFO,
  inPrivate,
  ITEM,
  legacy,
  SEG,
  taken,
  USER,
} from "../support/maibot_frames.ts";
import { ABSENT, show, wrong } from "../support/samples.ts";

/** A rule, a message that breaks it and nothing else, where, and the nearest ones that break none at all. */
type RuleRow = readonly [rule: MaibotRule, path: string, broken: unknown, ...fine: readonly unknown[]];

/** Objects inside one another around a value; one that is empty is the last of them. */
function nested(levels: number, inner: unknown): unknown {
  let value = inner;
  for (let level = typeof inner === "object" ? 1 : 0; level < levels; level++) value = { a: value };
  return value;
}

/** Rules that both versions have, and see alike. */
const SHARED_ROWS: readonly RuleRow[] = [
  ["not_object", "$", [taken()]],
  ["not_object", "$", "hi"],
  ["onebot_frame", INFO, { post_type: "message", self_id: 1, message: [] }],
  ["custom_nameless", "$.message_type_name", { ...taken(), is_custom_message: 1 }, {
    ...taken(),
    is_custom_message: 0,
  }],
  ["custom_nameless", "$.message_type_name", { is_custom_message: true, message_type_name: "", content: 1 }],
  ["custom_unknown", "$.message_type_name", createCustom("poke", {}, "qq")],
  ["custom_unhashable", "$.message_type_name", { ...taken(), message_type_name: ["poke"] }, {
    ...taken(),
    message_type_name: [],
  }],
  ["custom_unhashable", "$.message_type_name", { ...taken(), message_type_name: { a: 1 } }, {
    ...taken(),
    message_type_name: {},
  }],
  ["custom_unhashable", "$.message_type_name", { is_custom_message: true, message_type_name: [0], content: 1 }],
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
  ["platform_empty", `${INFO}.platform`, at(`${INFO}.platform`, ""), at(`${INFO}.platform`, "\u200b")],
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
  ["user_id_empty", `${USER}.user_id`, inPrivate([`${USER}.user_id`, ""]), inPrivate()],
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
  ["group_name", `${GROUP}.group_name`, at(`${GROUP}.group_name`, null), at(`${GROUP}.group_name`, " ")],
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

  ["own_message", `${USER}.user_id`, legacy({ self_id: "777" }, [`${USER}.user_id`, "777"])],
  ["own_message", `${USER}.user_id`, legacy({ self_id: 777 }, [`${USER}.user_id`, 777])],
  ["own_message", `${USER}.user_id`, legacy({ self_id: "777" }, [`${USER}.user_id`, " 777 "])],

  ["surrogate", `${ITEM}.data`, holding("text", "\ud83d"), holding("text", "\ud83d\ude00")],
  ["surrogate", `${ITEM}.data`, holding("reply", "m\ude00")],
  ["surrogate", `${ITEM}.data`, holding("at", "1\ud800")],
  [
    "surrogate",
    `${ITEM}.data`,
    holding("at", { qq: "1", nickname: "\ud800" }),
    holding("at", { qq: "1", x: "\ud800" }),
  ],
  ["surrogate", `${ITEM}.data`, holding("file", { name: "\ud800" }), holding("file", { x: "\ud800" })],
  ["surrogate", `${ITEM}.data`, holding("dict", { a: [{ b: "\udfff" }] })],
  ["surrogate", `${ITEM}.data`, holding("dict", { "\ud800": 1 })],
  ["surrogate", `${INFO}.message_id`, at(`${INFO}.message_id`, "\ud800")],
  ["surrogate", `${USER}.user_cardname`, at(`${USER}.user_cardname`, "\ud800")],
  ["surrogate", `${USER}.user_nickname`, at(`${USER}.user_nickname`, "\ud800")],
  ["surrogate", CONFIG, legacy({ self_id: "\ud800" })],
  ["integer_range", `${ITEM}.data`, holding("dict", { n: 2n ** 64n }), holding("dict", { n: 2n ** 64n - 1n })],
  ["integer_range", `${ITEM}.data`, holding("dict", { n: -(2n ** 63n) - 1n }), holding("dict", { n: -(2n ** 63n) })],
  ["integer_range", `${ITEM}.data`, holding("dict", { n: 2 ** 64 }), holding("dict", { n: new PythonFloat(2 ** 64) })],
  // What an object or a list holds is one level more: so much fits, by MaiBot's own packer.
  ["dict_deep", `${ITEM}.data`, holding("dict", nested(1024, {})), holding("dict", nested(1023, {}))],
  ["dict_deep", `${ITEM}.data`, holding("dict", nested(1023, "x")), holding("dict", nested(1022, "x"))],
  ["dict_deep", `${ITEM}.data`, at(SEG, { type: "dict", data: nested(1023, 1) }), holding("dict", nested(1023, []))],
];

/** Bytes, so many more than the 16 MiB of the largest picture that 1.3.15 keeps. */
function large(more: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(16 * 2 ** 20 + more);
}

/** Rules that only 1.3.15 has, or has where 1.2.1 sees nothing wrong. */
const NEW_ROWS: readonly RuleRow[] = [
  ["platform_empty", `${INFO}.platform`, at(`${INFO}.platform`, " ")],
  ["platform_empty", `${INFO}.platform`, at(`${INFO}.platform`, "\u2028\x1f")],
  ["account_kind", ACCOUNT, changed([ACCOUNT, 777], [CONFIG, { self_id: "777" }])],
  ["account_kind", ACCOUNT, changed([ACCOUNT, false], [CONFIG, { self_id: "777" }])],
  ["account_kind", ACCOUNT, changed([ACCOUNT, []], [CONFIG, { self_id: "777" }])],
  ["account_kind", ACCOUNT, changed([ACCOUNT, {}], [CONFIG, { self_id: "777" }])],
  ["scope_kind", "$.scope", at("$.scope", 0), at("$.scope", "s"), at("$.scope", null), at("$.scope", "")],
  ["scope_kind", "$.scope", at("$.scope", { a: 1 }), legacy({ self_id: "777" }, ["$.scope", 5])],
  [
    "account_missing",
    ACCOUNT,
    at(ACCOUNT, ABSENT),
    at(`${SEG}.data`, [{ type: "text", data: "/clear" }]),
    changed([ACCOUNT, ABSENT], [ITEM, { type: "text", data: " /offline " }]),
    legacy({ platform_io_account_id: "777" }),
    legacy({ account_id: "777" }),
    legacy({ bot_account: 0 }),
    changed([ACCOUNT, ABSENT], ["$.self_id", 777]),
    changed([ACCOUNT, ABSENT], [`${INFO}.self_id`, "777"]),
    changed([ACCOUNT, null], [CONFIG, { self_id: "777" }]),
    changed([ACCOUNT, " "], [CONFIG, { self_id: "777" }]),
  ],
  ["account_missing", ACCOUNT, at(ACCOUNT, null)],
  ["account_missing", ACCOUNT, at(ACCOUNT, "")],
  ["account_missing", ACCOUNT, at(ACCOUNT, "\u3000\x1c"), at(ACCOUNT, "\u200b")],
  ["account_missing", ACCOUNT, changed([ACCOUNT, ABSENT], ["$.scope", "s"])],
  // Once it stands at the top, only the free data is asked beside it.
  ["account_missing", ACCOUNT, changed([ACCOUNT, null], [`${INFO}.account_id`, "777"])],
  ["account_missing", ACCOUNT, changed([ACCOUNT, ABSENT], [ITEM, { type: "text", data: "/clear all" }])],
  ["target_blank", `${USER}.user_id`, inPrivate([`${USER}.user_id`, " "]), inPrivate([`${USER}.user_id`, "\u200b"])],
  ["target_blank", `${GROUP}.group_id`, at(`${GROUP}.group_id`, "\t"), at(`${USER}.user_id`, "\t")],
  ["own_message", `${USER}.user_id`, at(`${USER}.user_id`, "777"), at(`${USER}.user_id`, "7777")],
  ["image_large", `${ITEM}.data`, holding("image", large(1)), holding("image", large(0)), holding("voice", large(1))],
  ["image_large", `${ITEM}.data`, holding("emoji", large(1).toBase64()), holding("emoji", large(0).toBase64())],
  ["image_large", `${ITEM}.data`, holding("image", new Blob([large(1)])), holding("image", new Blob([large(0)]))],
  ["surrogate", ACCOUNT, at(ACCOUNT, "\ud800")],
  ["surrogate", "$.scope", at("$.scope", "\ud800"), legacy({ self_id: "777" }, ["$.scope", "\ud800"])],
];

/** The same of 1.2.1. */
const OLD_ROWS: readonly RuleRow[] = [
  ["group_name_empty", `${GROUP}.group_name`, at(`${GROUP}.group_name`, "")],
  ["image_large", `${ITEM}.data`, holding("image", large(14 * 2 ** 20 + 1)), holding("image", large(14 * 2 ** 20))],
];

/** What is asked of MaiBot's configuration: that `qq` is 777 there, and nothing else. */
const CONFIGURED_ROWS: readonly RuleRow[] = [
  ["platform_foreign", `${INFO}.platform`, at(`${INFO}.platform`, "tp"), at(`${INFO}.platform`, " QQ ")],
  ["account_foreign", CONFIG, legacy({ self_id: "778" }), legacy({ self_id: " 777 " }), legacy({ self_id: 777 })],
  ["account_foreign", CONFIG, legacy({ account_id: "778", self_id: "777" })],
  ["own_message", `${USER}.user_id`, at(`${USER}.user_id`, 777), at(`${USER}.user_id`, "778")],
];

/** The same where 1.2.1 sees nothing wrong. */
const NEW_CONFIGURED_ROWS: readonly RuleRow[] = [
  ["account_foreign", ACCOUNT, at(ACCOUNT, "778"), at(ACCOUNT, " 777 ")],
  ["account_foreign", ACCOUNT, changed([ACCOUNT, "778"], [CONFIG, { self_id: "777" }])],
  ["account_missing", ACCOUNT, at(ACCOUNT, ABSENT)],
];

/** A table, and how it is asked. */
const TABLES: readonly (readonly [what: string, rows: readonly RuleRow[], ...asked: readonly MaibotIssuesOptions[]])[] =
  [
    ["of both versions", SHARED_ROWS, {}, { version: "1.3.15" }, { version: "1.2.1" }],
    ["of 1.3.15", NEW_ROWS, { version: "1.3.15" }],
    ["of 1.2.1", OLD_ROWS, { version: "1.2.1" }],
    [
      "of the configuration",
      CONFIGURED_ROWS,
      { version: "1.3.15", accounts: { qq: "777" } },
      { version: "1.2.1", accounts: { Qq: " 777" } },
    ],
    ["of the configuration of 1.3.15", NEW_CONFIGURED_ROWS, { accounts: { qq: "777", tp: "888" } }],
  ];

/** In a bare segment, data stands one level higher. */
function pathIn(message: unknown, path: string): string {
  const { message_segment } = message as { message_segment?: { type?: unknown } }; // the tables hold nothing else
  return message_segment?.type === "seglist" ? path : path.replace(ITEM, SEG);
}

for (const [what, rows, ...asked] of TABLES) {
  describe(`maibotIssues() knows each rule ${what}, and what comes near without breaking it`, () => {
    for (const [index, [rule, path, broken, ...fine]] of rows.entries()) {
      it(`${rule} at ${path} (row ${index})`, () => {
        const where = path.startsWith(`${ITEM}.data`) ? pathIn(broken, path) : path;
        for (const options of asked) {
          const issues = maibotIssues(broken, options);
          assertEquals([brief(issues), issues[0]?.level], [[`${rule} ${where}`], RULES[rule].level]);
          assertEquals(fine.map((message) => brief(maibotIssues(message, options))), fine.map(() => []));
        }
      });
    }
  });
}

describe("maibotIssues()", () => {
  it("has a row for every rule here", () => {
    const seen = new Set(TABLES.flatMap(([, rows]) => rows.map(([rule]) => rule)));
    assertEquals(Object.keys(RULES).filter((rule) => !seen.has(rule as MaibotRule)), []);
  });

  it("asks 1.2.1 for none of the rules that came with 1.3", () => {
    const rows = NEW_ROWS.map(([, , broken]) => brief(maibotIssues(broken, { version: "1.2.1" })));
    assertEquals(rows, NEW_ROWS.map(() => []));
    const options = { version: "1.2.1", accounts: { qq: "777" } } as const;
    const configured = NEW_CONFIGURED_ROWS.map(([, , broken]) => brief(maibotIssues(broken, options)));
    assertEquals(configured, NEW_CONFIGURED_ROWS.map(() => []));
  });

  it("knows the bot's own messages by the configuration where they name no account", () => {
    const own = changed([ACCOUNT, ABSENT], [`${USER}.user_id`, "777"]);
    const accounts = { qq: "777" };
    const issue = `own_message ${USER}.user_id`;
    assertEquals(brief(maibotIssues(own, { accounts })), [`account_missing ${ACCOUNT}`, issue]);
    assertEquals(brief(maibotIssues(own, { accounts, version: "1.2.1" })), [issue]);
    assertEquals(brief(maibotIssues(own)), [`account_missing ${ACCOUNT}`]);
  });

  it("asks 1.3.15 for none of the rules that went with 1.2", () => {
    const nameless = at(`${GROUP}.group_name`, "");
    assertEquals([maibotIssues(nameless), brief(maibotIssues(nameless, { version: "1.2.1" }))], [
      [],
      [`group_name_empty ${GROUP}.group_name`],
    ]);
  });

  it("calls 'unanswered' what is stored and can never be answered", () => {
    const rules = Object.entries(RULES).filter(([, { level }]) => level === "unanswered").map(([rule]) => rule);
    assertEquals(rules, ["platform_foreign", "account_missing", "account_foreign", "target_blank"]);
  });

  it("names the versions that have a rule", () => {
    const only = (version: string) => {
      const others = MAIBOT_VERSIONS.filter((known) => known !== version);
      return Object.entries(RULES).filter(([, { sources }]) => others.every((other) => !(other in sources)))
        .map(([rule]) => rule);
    };
    assertEquals(only("1.3.15"), ["account_kind", "scope_kind", "account_missing", "target_blank"]);
    assertEquals(only("1.2.1"), ["group_name_empty"]);
  });

  it("throws a RangeError that names 'version' when its rules are not known", () => {
    assertThrows(() => maibotIssues(taken(), { version: wrong("1.3.14") }), RangeError, "'version'");
  });

  for (const account of [777, null, undefined, ["777"], " "]) {
    it(`throws a TypeError that names 'accounts.qq' when it is ${show(account) ?? "undefined"}`, () => {
      const accounts = { tp: "888", qq: wrong(account) };
      assertThrows(() => maibotIssues(taken(), { accounts }), TypeError, "'accounts.qq'");
    });
  }

  it("needs no account on the platforms of MaiBot's own", () => {
    const accounts = { qq: "777" };
    for (const platform of ["webui", "bot_console", "maisaka_cli"]) {
      const own = inPrivate([`${INFO}.platform`, platform], [`${USER}.user_id`, " "]);
      assertEquals(brief(maibotIssues(own, { accounts })), []);
    }
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
