import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { generateTexts } from "./generated.ts";

describe("generateTexts()", () => {
  it("makes the same frames for the same seed, and others for another", () => {
    const texts = generateTexts({ seed: 5, count: 300 });
    assertEquals(texts.length, 300);
    assertEquals(generateTexts({ seed: 5, count: 300 }), texts);
    assertNotEquals(generateTexts({ seed: 6, count: 300 }), texts);
  });

  it("changes every member that MaiBot reads", () => {
    const texts = generateTexts({ seed: 1, count: 2000 });
    const keys = [
      ...["account_id", "scope", "self_id", "connection_id", "message_type_name", "is_custom_message", "content"],
      ...["platform", "message_id", "time", "user_id", "user_nickname", "group_id", "group_name", "receiver_info"],
      ...["additional_config", "is_mentioned", "message_segment", "type", "data", "echo", "actual_id"],
    ];
    for (const key of keys) {
      const values = new Set(texts.flatMap((text) => text.match(new RegExp(`"${key}":.{0,24}`, "gs")) ?? []));
      assert(values.size > 10, `${key} has ${values.size} values`);
    }
  });
});
