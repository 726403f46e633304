import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { readSetup } from "../../maibot/setup.ts";
import { dropLogText } from "../../maibot/drop_log.ts";
import { maibotIssues, type MaibotVersion } from "../../maibot/mod.ts";
import { parsePython } from "../../maibot/python/json.ts";
import { MAIBOT_VERSIONS } from "../../maibot/rules.ts";
import { drops, GROUP, INFO, ITEM, SEG, USER } from "../support/maibot_frames.ts";
import { acceptVectors, type VerdictVector, verdictVectors } from "../support/maibot_vectors.ts";

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

/** Texts that are others in 1.3.15, which was asked for all rows of the file by its own code. */
const NEW_TEXTS: Readonly<Record<string, string>> = {
  platform_missing: "消息字典缺少有效的 platform 字段，无法构造 RouteKey",
};

for (const version of MAIBOT_VERSIONS) {
  describe(`maibotIssues() says what MaiBot ${version} says of a frame that was recorded with 1.2.1`, () => {
    for (const { name, input, dropped } of acceptVectors) {
      it(name, () => {
        assertEquals(drops(input, { version })[0]?.path, dropped === null ? undefined : trippedOn(name));
        const text = (version === "1.2.1" ? undefined : NEW_TEXTS[name]) ?? dropped?.slice(dropped.indexOf(":") + 2);
        const line = dropLogText(input, readSetup({ version }));
        assertEquals(line, dropped === null ? null : `预处理消息失败: ${text}`);
      });
    }
  });
}

/** What is found in a frame. */
interface Verdict {
  readonly isTaken: boolean;
  readonly isUnanswered: boolean;
  readonly line: string | null;
}

/** Reads a frame as MaiBot does, and judges it. */
function verdictOf({ text, accounts }: VerdictVector, version: MaibotVersion): Verdict {
  const value = parsePython(text);
  if (value === undefined) return { isTaken: false, isUnanswered: false, line: null };
  const options = { version, accounts };
  const levels = new Set(maibotIssues(value, options).map(({ level }) => level));
  const isTaken = !levels.has("drop");
  const isUnanswered = isTaken && levels.has("unanswered");
  return { isTaken, isUnanswered, line: dropLogText(value, readSetup(options)) };
}

describe("maibotIssues() says what MaiBot 1.3.15 itself did", () => {
  for (const vector of verdictVectors) {
    it(vector.name, () => {
      const { isTaken, unanswered, reason, policy } = vector;
      const verdict = verdictOf(vector, "1.3.15");
      // What is no JSON is told by the parser.
      const line = isTaken["1.3.15"] || /^JSONDecodeError|^$/.test(reason) ? null : reason;
      // What the policy keeps out can not be seen in a message.
      const isUnanswered = policy === null || unanswered === "no_account" ? unanswered !== null : verdict.isUnanswered;
      assertEquals(verdict, { isTaken: isTaken["1.3.15"] === true, isUnanswered, line });
    });
  }
});

describe("maibotIssues() says what MaiBot 1.2.1 itself did", () => {
  for (const vector of verdictVectors) {
    const isTaken = vector.isTaken["1.2.1"];
    if (isTaken === undefined) continue;
    it(vector.name, () => assertEquals(verdictOf(vector, "1.2.1").isTaken, isTaken));
  }
});
