import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";

import { decodeMessage, encodeMessage, MessageDecodeError } from "../../codec.ts";
import { createMessage, type MessageBase, seg } from "../../schema.ts";
import { again, customText, decodeError, encodeError, utf8Bytes } from "../support/codec.ts";
import { currentRuntime, runtimeCommand, spawnLines } from "../support/peers/process.ts";
import { messageText, nestedLists } from "../support/samples.ts";

/** One character of each length in UTF-8, one, three and four bytes, and a surrogate that becomes three. */
const CHARACTERS = [["ASCII", "a"], ["CJK", "漢"], ["astral", "😀"], ["mixed", "aé漢😀"]] as const;

const DEFAULT_LIMIT = 100 * 1024 * 1024;

describe("maxBytes", () => {
  for (const [kind, character] of CHARACTERS) {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text(character.repeat(1000)));
    const text = JSON.stringify(message);
    const bytes = utf8Bytes(text);
    it(`lets decodeMessage() pass when ${kind} text takes exactly as much`, () => {
      assertEquals<unknown>(decodeMessage(text, { maxBytes: bytes }), message);
    });
    it(`makes decodeMessage() throw too_large when ${kind} text takes a byte more`, () => {
      const { code, path } = decodeError(text, { maxBytes: bytes - 1 });
      assertEquals([code, path], ["too_large", "$"]);
    });
    it(`lets encodeMessage() pass when ${kind} text takes exactly as much`, () => {
      assertStrictEquals(encodeMessage(message, { maxBytes: bytes }), text);
    });
    it(`makes encodeMessage() throw too_large when ${kind} text takes a byte more`, () => {
      const { code, path } = encodeError(message, { maxBytes: bytes - 1 });
      assertEquals([code, path], ["too_large", "$"]);
    });
  }

  it("counts a lone surrogate as the three bytes of U+FFFD in encodeMessage()", () => {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text("\ud800"));
    const bytes = utf8Bytes(encodeMessage(message));
    assertStrictEquals(utf8Bytes(encodeMessage(message, { maxBytes: bytes })), bytes);
    assertEquals(encodeError(message, { maxBytes: bytes - 1 }).code, "too_large");
  });

  it("does not count omitted nulls in encodeMessage()", () => {
    const bare = { message_info: { platform: "qq" }, message_segment: seg.text("hi") };
    const message = { ...bare, message_info: { platform: "qq", time: null, user_info: null } };
    assertStrictEquals(encodeMessage(message, { maxBytes: JSON.stringify(bare).length }), JSON.stringify(bare));
  });

  it("does not count omitted nulls in encodeMessage(), even where they are most of the message", () => {
    const user = { platform: null, user_id: null, user_nickname: null, user_cardname: null };
    const nulls = { message_id: null, group_info: null, sender_info: null, receiver_info: null, format_info: null };
    const message = { message_info: { platform: "qq", ...nulls, user_info: user }, message_segment: { type: "x" } };
    const text = '{"message_info":{"platform":"qq","user_info":{}},"message_segment":{"type":"x"}}';
    assertStrictEquals(encodeMessage(message, { maxBytes: text.length }), text);
    assertEquals(encodeError(message, { maxBytes: text.length - 1 }).code, "too_large");
  });

  it("does not count undefined members in encodeMessage()", () => {
    const undefinedOnes = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`member_${index}`, undefined]));
    const message = {
      message_info: { platform: "qq", ...undefinedOnes },
      message_segment: { type: "x", ...undefinedOnes },
    };
    const text = '{"message_info":{"platform":"qq"},"message_segment":{"type":"x"}}';
    assertStrictEquals(encodeMessage(message, { maxBytes: text.length }), text);
    assertEquals(encodeError(message, { maxBytes: text.length - 1 }).code, "too_large");
  });

  it("is looked at before the text is parsed", () => {
    assertEquals(decodeError("not JSON at all", { maxBytes: 5 }).code, "too_large");
  });

  it("is 100 MiB when decodeMessage() is not given another", () => {
    const text = "x".repeat(DEFAULT_LIMIT);
    assertEquals([decodeError(text).code, decodeError(`${text}x`).code], ["invalid_json", "too_large"]);
  });

  it("is 100 MiB when encodeMessage() is not given another", () => {
    const message = (length: number) => ({
      message_info: { platform: "qq" },
      message_segment: seg.text("x".repeat(length)),
    });
    const frame = encodeMessage(message(0)).length;
    assertStrictEquals(encodeMessage(message(DEFAULT_LIMIT - frame)).length, DEFAULT_LIMIT);
    assertEquals(encodeError(message(DEFAULT_LIMIT - frame + 1)).code, "too_large");
  });
});

const BIG = "9007199254740993";

const deepJson = (levels: number, inner = "1") => "[".repeat(levels) + inner + "]".repeat(levels);

const deepConfig = (levels: number, inner?: string) => messageText(`"additional_config":${deepJson(levels, inner)}`);

describe("maxDepth", () => {
  it("is 32 when decodeMessage() is not given another", () => {
    const text = messageText("", nestedLists(32));
    assertStrictEquals(again(text), text);
  });

  it("makes decodeMessage() throw too_deep at the innermost list when 33 lists nest", () => {
    const { code, path } = decodeError(messageText("", nestedLists(33)));
    assertEquals([code, path], ["too_deep", `$.message_segment${".data[0]".repeat(32)}.data`]);
  });

  it("lets decodeMessage() pass when lists nest exactly as deep", () => {
    const text = messageText("", nestedLists(100));
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxDepth: 100 })), text);
  });

  it("makes decodeMessage() throw too_deep when one list more nests", () => {
    assertEquals(decodeError(messageText("", nestedLists(3)), { maxDepth: 2 }).code, "too_deep");
  });

  it("does not count free JSON in decodeMessage()", () => {
    assertStrictEquals(again(deepConfig(100)), deepConfig(100));
  });

  // Whatever the engine's stack holds, the answer is a message or a code that is true.
  it("makes decodeMessage() throw too_deep, if anything, when it is raised beyond the stack", () => {
    try {
      decodeMessage(messageText("", nestedLists(200_000)), { maxDepth: 1e9 });
    } catch (error) {
      assertInstanceOf(error, MessageDecodeError);
      assertEquals(error.code, "too_deep");
    }
  });
});

describe("maxSegments", () => {
  const listOf = (segments: readonly string[]) => `{"type":"seglist","data":[${segments.join(",")}]}`;
  const ofCount = (count: number) =>
    `{"message_info":{"platform":"qq"},"message_segment":${listOf(Array(count).fill('{"type":""}'))}}`;

  it("is 100,000 when decodeMessage() is not given another, the list itself counted", () => {
    const text = ofCount(99_999);
    assertStrictEquals(JSON.stringify(decodeMessage(text)), text);
    const { code, path } = decodeError(ofCount(100_000));
    assertEquals([code, path], ["too_large", "$.message_segment.data"]);
  });

  it("counts lists in lists and what is in them", () => {
    const inner = listOf(['{"type":"text","data":"a"}', '{"type":"face"}']);
    const text = `{"message_info":{"platform":"qq"},"message_segment":${listOf([inner, inner])}}`;
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxSegments: 7 })), text);
    assertEquals(decodeError(text, { maxSegments: 6 }).code, "too_large");
  });

  it("does not count free JSON that looks like segments", () => {
    const text = messageText(`"additional_config":${listOf(Array(10).fill('{"type":""}'))}`);
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxSegments: 1 })), text);
  });
});

describe("free JSON 20,000 levels deep", () => {
  it("decodes", () => {
    const { message_info } = decodeMessage(deepConfig(20_000)) as MessageBase; // it has no is_custom_message
    assert(Array.isArray(message_info.additional_config));
  });

  it("decodes or is too_deep when a number in it is beyond 2^53", () => {
    try {
      decodeMessage(deepConfig(20_000, BIG));
    } catch (error) {
      assertInstanceOf(error, MessageDecodeError);
      assertEquals(error.code, "too_deep");
    }
  });

  it("decodes in a custom message and in a segment", () => {
    assert("content" in decodeMessage(customText(deepJson(20_000))));
    assert("message_info" in decodeMessage(messageText("", `{"type":"x","data":${deepJson(20_000)}}`)));
  });

  it("is refused by encodeMessage() as too_deep", () => {
    assertEquals(encodeError(decodeMessage(deepConfig(20_000))).code, "too_deep");
  });

  it("is refused by encodeMessage() as too_deep when it is made of objects", () => {
    const text = customText('{"a":'.repeat(20_000) + "1" + "}".repeat(20_000));
    assertEquals(encodeError(decodeMessage(text)).code, "too_deep");
  });
});

/** Runs `peers/codec_probe.ts`: what may abort or hang the process is done in one that is not ours. */
async function probe(task: string, ends: string, timeoutMs: number = 60_000): Promise<void> {
  const script = fileURLToPath(new URL("../support/peers/codec_probe.ts", import.meta.url));
  await using child = spawnLines(...runtimeCommand(currentRuntime, script, [task]));
  const status = await child.exit({ timeoutMs });
  assertEquals([status.code, child.lines.at(-1)], [0, ends], child.lines.join("\n"));
}

describe("a process of its own", () => {
  // Deno 2.9 aborts in JSON.stringify when it meets one flat string of 2^28 units: runtimes.md 0.3.
  it("lives when encodeMessage() writes a string of 2^28 units with a raised maxBytes", async () => {
    await probe("encode-huge", `wrote ${2 ** 28 + messageText("", '{"type":"image","data":""}').length}`);
  });

  it("lives when encodeMessage() writes a key of 2^28 units with a raised maxBytes", async () => {
    await probe("encode-huge-key", `wrote ${2 ** 28 + customText('{"":1}').length}`);
  });

  it("lives when encodeMessage() is given a key of 2^28 units", async () => {
    await probe("refuse-huge-key", "refused too_large, cheaply");
  });

  it("copies nothing when encodeMessage() refuses a string of 2^28 units by default", async () => {
    await probe("refuse-huge", "refused too_large, cheaply");
  });

  it("copies nothing when decodeMessage() refuses a text of 2^28 units by default", async () => {
    await probe("refuse-huge-text", "refused too_large, cheaply");
  });

  it("ends when decodeMessage() runs with an object on Object.prototype", async () => {
    await probe("decode-polluted", "decoded", 15_000);
  });
});
