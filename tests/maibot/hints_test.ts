import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { readSetup } from "../../maibot/setup.ts";
import { dropLogText } from "../../maibot/drop_log.ts";
import {
  hintOf,
  maibotIssues,
  type MaibotIssuesOptions,
  type MaibotRule,
  type MaibotVersion,
} from "../../maibot/mod.ts";
import { MAIBOT_VERSIONS, RULES } from "../../maibot/rules.ts";
import { createCustom } from "../../schema.ts";
import { ACCOUNT, at, changed, echo, holding, INFO, inPrivate, SEG, taken, USER } from "../support/maibot_frames.ts";
import { ABSENT, show } from "../support/samples.ts";

// ------------------------------------------------------------------------------------------ hints

/** Every rule and the versions that have it. */
const HAVING: readonly (readonly [MaibotRule, readonly MaibotVersion[]])[] = Object.entries(RULES)
  .map(([rule, { sources }]) => [rule as MaibotRule, Object.keys(sources) as MaibotVersion[]]); // as RULES is typed

describe("hintOf()", () => {
  for (const [rule, versions] of HAVING) {
    it(`${rule} has a hint in both languages, and its source in each version that has it`, () => {
      for (const version of MAIBOT_VERSIONS) {
        // One that does not have it names the one that has.
        const named = versions.includes(version) ? version : versions[0] ?? version;
        const { program, file } = RULES[rule].sources[named] ?? { program: "", file: "" };
        assert([`MaiBot ${named}`, "maim_message 0.6.8"].includes(program), program);
        assertMatch(file, /^[\w/]+\.py$/);
        const source = `${program}: ${file.split("/").at(-1)}`;
        const [en, zh] = [hintOf({ rule }, "en", version), hintOf({ rule }, "zh", version)];
        assertMatch(zh, /[\u4e00-\u9fff].*（[^）]+）$/);
        assertMatch(en, /^[^\u4e00-\u9fff]+ \([^)]+\)$/);
        assertEquals([en.endsWith(` (${source})`), zh.endsWith(`（${source}）`)], [true, true]);
      }
    });
  }

  it("names the newest version when none is asked for", () => {
    for (const [rule] of HAVING) assertEquals(hintOf({ rule }, "en"), hintOf({ rule }, "en", "1.3.15"));
  });

  for (const version of MAIBOT_VERSIONS) {
    it(`is the hint of the issue in English, and of ${version} when that was asked`, () => {
      const [issue] = maibotIssues(null, { version });
      assert(issue !== undefined);
      assertEquals(issue.hint, hintOf(issue, "en", version));
      assertStringIncludes(issue.hint, `(MaiBot ${version}: `);
    });
  }

  it("says what to do about an account that is missing: which, where, and what happens without", () => {
    const [issue] = maibotIssues(at(ACCOUNT, ABSENT));
    assertEquals(issue?.rule, "account_missing");
    assertMatch(issue?.hint ?? "", /never answers.* option account .*bot's own id .*\[bot\]/);
    assertMatch(hintOf({ rule: "account_missing" }, "zh"), /不会回复.*选项 account.*机器人自己.*\[bot\]/);
  });
});

// ------------------------------------------------------------------------------------------ log lines

/** What MaiBot writes of a frame, by the versions that write it. */
type LineRow = readonly [message: unknown, line: string | null, ...versions: readonly MaibotVersion[]];

describe("dropLogText()", () => {
  const ROWS: readonly LineRow[] = [
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
    [inPrivate([`${USER}.user_id`, ""]), "预处理消息失败: UserID 或 GroupID 必须提供其一"],
    [at(`${USER}.user_id`, null), null],
    [createCustom("poke", {}, "qq"), "收到未注册的自定义消息类型: poke"],
    [createCustom("p".repeat(41), {}, "qq"), `收到未注册的自定义消息类型: ${"p".repeat(40)}…`],
    [at(SEG, { type: "A".repeat(5000) }), `预处理消息失败: 暂时不支持的消息片段类型: ${"A".repeat(40)}…`],
    [at(SEG, { type: { A: "A" } }), "预处理消息失败: unhashable type: 'dict'"],
    [at(SEG, { type: ["A"] }), "预处理消息失败: unhashable type: 'list'"],
    [holding({ A: ["x'y\n", 1e22] }, 1), `预处理消息失败: 暂时不支持的消息片段类型: {'A': ["x'y\\n", 1e+22]}`],
    [holding(["a", 1.5, null, true], 1), "预处理消息失败: 暂时不支持的消息片段类型: ['a', 1.5, None, True]"],
    [{ is_custom_message: true }, "收到未注册的自定义消息类型: None"],
    [echo({ type: "echo" }), null],
    [at(`${INFO}.platform`, ""), "预处理消息失败: 消息缺少平台信息", "1.2.1"],
    [at(`${INFO}.platform`, ""), "预处理消息失败: 消息字典缺少有效的 platform 字段，无法构造 RouteKey", "1.3.15"],
    [at(`${INFO}.platform`, " "), null, "1.2.1"],
    [at(`${INFO}.platform`, " "), "预处理消息失败: 消息字典缺少有效的 platform 字段，无法构造 RouteKey", "1.3.15"],
    [at(`${INFO}.platform`, 5), "预处理消息失败: "],
    [at(`${INFO}.platform`, 0), "预处理消息失败: ", "1.2.1"],
    [at(`${INFO}.platform`, 0), "预处理消息失败: 消息字典缺少有效的 platform 字段，无法构造 RouteKey", "1.3.15"],
    [at(ACCOUNT, 777), null, "1.2.1"],
    [at(ACCOUNT, 777), "预处理消息失败: 消息 account_id 必须是字符串或 None", "1.3.15"],
    [at("$.scope", []), null, "1.2.1"],
    [at("$.scope", []), "预处理消息失败: 消息 scope 必须是字符串或 None", "1.3.15"],
    [at(ACCOUNT, ABSENT), null],
    [holding("dict", { n: 2n ** 64n }), "消息处理失败: Integer value out of range"],
    [
      changed([`${INFO}.message_id`, "aé😀\ud800"]),
      "消息处理失败: 'utf-8' codec can't encode character '\\ud800' in position 3: surrogates not allowed",
    ],
    [
      inPrivate([`${USER}.user_nickname`, " \udc00\ud800"]),
      "预处理消息失败: 'utf-8' codec can't encode characters in position 0-1: surrogates not allowed",
    ],
    [{ ...taken(), message_type_name: { a: 1 } }, "TypeError: unhashable type: 'dict'"],
    [{ ...taken(), message_type_name: [1] }, "TypeError: unhashable type: 'list'"],
    // What can not be encoded can not be printed.
    [createCustom("\ud800", 1, "qq"), null],
  ];
  for (const [index, [message, line, ...versions]] of ROWS.entries()) {
    const asked: readonly MaibotIssuesOptions[] = (versions.length === 0 ? MAIBOT_VERSIONS : versions)
      .map((version) => ({ version }));
    const where = versions.length === 0 ? "" : ` in ${versions}`;
    it(`is ${line}${where} (row ${index}, ${named(message)})`, () => {
      for (const options of asked) assertEquals(dropLogText(message, readSetup(options)), line);
    });
  }
});

/** The beginning of a frame, for a name. */
function named(message: unknown): string {
  return show(JSON.parse(JSON.stringify(message, (_key, value) => typeof value === "bigint" ? String(value) : value)))
    .slice(0, 60);
}
