import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { MessageEncodeError, splitMessage } from "../../codec.ts";
import { createMessage, type MessageBase, plainText, type Seg, seg } from "../../schema.ts";
import { byteMessages, expectedText } from "../support/chunks.ts";
import { fullCustom, wrong } from "../support/samples.ts";

const INFO = { platform: "qq", message_id: "m", user_info: { user_id: "1", user_nickname: "张三" } };

function messageOf(...segs: Seg[]): MessageBase {
  return { message_info: INFO, message_segment: { type: "seglist", data: segs } };
}

function size(message: MessageBase): number {
  return new TextEncoder().encode(expectedText(message)).length;
}

const EMPTY = size(messageOf());

function segmentsOf({ message_segment: { type, data }, ...rest }: MessageBase): Seg[] {
  return type === "seglist" ? data as Seg[] : [{ type, data, ...rest }];
}

/** Takes lists apart and joins texts that stand beside each other. */
function flat(segs: readonly Seg[]): string[] {
  const texts: string[] = [];
  let isText = false;
  for (const { type, data } of segs.flatMap(inner)) {
    if (type === "text" && data === "") continue;
    if (isText && type === "text") texts.push(`${texts.pop()}${data}`);
    else texts.push(type === "text" ? `text ${data}` : JSON.stringify([type, data]));
    isText = type === "text";
  }
  return texts;
}

function inner(segment: Seg): Seg[] {
  return segment.type === "seglist" ? (segment.data as Seg[]).flatMap(inner) : [segment];
}

function refused(message: MessageBase, maxBytes: number): MessageEncodeError {
  return assertThrows(() => splitMessage(message, maxBytes), MessageEncodeError);
}

describe("splitMessage()", () => {
  it("writes raw_message for a segment that has members named like those of a message", () => {
    const odd = Object.assign(seg.text("x".repeat(100)), { message_segment: null, message_info: null });
    const parts = splitMessage({ ...messageOf(odd, odd), raw_message: "" }, EMPTY + 330);
    assertEquals(parts.map(({ raw_message }) => raw_message), ["x".repeat(100), "x".repeat(100)]);
  });

  it("keeps every part under the limit, and all segments in their order with the reply first", () => {
    fc.assert(
      fc.property(byteMessages, fc.integer({ min: 1, max: 600 }), (value, maxBytes) => {
        const message = value as unknown as MessageBase; // valid by construction
        const segs = segmentsOf({ message_info: INFO, message_segment: message.message_segment });
        let parts: MessageBase[];
        try {
          parts = splitMessage(message, maxBytes);
        } catch (error) {
          assert(error instanceof MessageEncodeError && error.code === "too_large" && size(message) > maxBytes);
          return;
        }
        for (const part of parts) assert(size(part) <= maxBytes);
        assertStrictEquals(parts[0] === message, size(message) <= maxBytes);
        if (parts[0] === message) return assertEquals(parts.length, 1);
        const isBare = message.message_segment.type !== "seglist";
        const reply = isBare ? -1 : segs.findIndex(({ type }) => type === "reply");
        const list = isBare ? [message.message_segment] : segs;
        const ordered = reply > 0 ? [...list.splice(reply, 1), ...list] : list;
        assertEquals(flat(parts.flatMap((part) => part.message_segment.data as Seg[])), flat(ordered));
      }),
      { numRuns: 3000 },
    );
  });

  it("gives the message itself when it takes exactly as much", () => {
    const message = messageOf(seg.text("漢"), seg.image("AQID"));
    const parts = splitMessage(message, size(message));
    assert(parts.length === 1 && parts[0] === message);
    assertEquals(splitMessage(message, size(message) - 1).length, 2);
  });

  it("fills each part as far as whole segments fit", () => {
    const segs = Array.from({ length: 7 }, (_, index) => seg.at(`${index}`));
    const room = JSON.stringify(segs.slice(0, 3)).length - 2 + EMPTY + "_2".length;
    assertEquals(splitMessage(messageOf(...segs), room).map((part) => part.message_segment.data), [
      segs.slice(0, 3),
      segs.slice(3, 6),
      segs.slice(6),
    ]);
  });

  it("derives the ids of the parts from the first", () => {
    const parts = splitMessage(messageOf(seg.at("1"), seg.at("2"), seg.at("3")), EMPTY + 30);
    assertEquals(parts.map((part) => part.message_info.message_id), ["m", "m_2", "m_3"]);
    assertEquals(parts.map((part) => part.message_info.user_info), [INFO.user_info, INFO.user_info, INFO.user_info]);
  });

  it("makes no id where there is none", () => {
    const message = { ...messageOf(seg.at("1"), seg.at("2")), message_info: { platform: "qq" } };
    const parts = splitMessage(message, 110);
    assertEquals(parts.map((part) => part.message_info), [{ platform: "qq" }, { platform: "qq" }]);
  });

  it("puts a reply into the first part, first", () => {
    const segs = [seg.text("a".repeat(50)), seg.text("b".repeat(50)), seg.reply("r")];
    const parts = splitMessage(messageOf(...segs), EMPTY + 110);
    assertEquals(parts.map((part) => segmentsOf(part).map(({ type }) => type)), [["reply", "text"], ["text"]]);
  });

  it("cuts a text that fits in no part, between characters, and no other", () => {
    const parts = splitMessage(messageOf(seg.text("short"), seg.text("😀".repeat(100))), EMPTY + 100);
    const texts = parts.flatMap(segmentsOf).map(({ data }) => data as string);
    assert(texts.length > 4 && texts.every((text) => text.isWellFormed()));
    assertStrictEquals(texts.join(""), `short${"😀".repeat(100)}`);
    const whole = splitMessage(messageOf(seg.text("a".repeat(60)), seg.text("b".repeat(60))), EMPTY + 100);
    assertEquals(whole.map((part) => segmentsOf(part).length), [1, 1]);
  });

  it("makes raw_message anew for each part where there is one", () => {
    const segs = [seg.text("漢".repeat(30)), seg.image("A".repeat(100)), seg.text("b")];
    const message = { ...messageOf(...segs), raw_message: plainText(messageOf(...segs)) };
    const parts = splitMessage(message, EMPTY + 250);
    assertEquals(parts.map(({ raw_message }) => raw_message), ["漢".repeat(30), "[图片]b"]);
    for (const part of parts) assert(size(part) <= EMPTY + 250);
    assert(splitMessage(messageOf(...segs), EMPTY + 200).every((part) => !("raw_message" in part)));
  });

  it("takes a list in a list apart only where it does not fit", () => {
    const small = seg.of("seglist", [seg.at("1")]);
    const large = seg.of("seglist", [seg.at("2".repeat(60)), small, seg.at("3".repeat(60))]);
    const parts = splitMessage(messageOf(small, large), EMPTY + 140);
    const [, middle, last] = large.data as Seg[];
    assertEquals(parts.flatMap(segmentsOf), [small, seg.at("2".repeat(60)), middle, last]);
  });

  it("splits a segment that stands alone, and keeps other members of a list", () => {
    const alone = { message_info: INFO, message_segment: seg.text("a".repeat(300)) };
    assert(splitMessage(alone, 200).every(({ message_segment }) => message_segment.type === "seglist"));
    const list = { ...seg.list(seg.at("1"), seg.at("2")), extra: 1 };
    const parts = splitMessage({ message_info: INFO, message_segment: list }, EMPTY + 45);
    assertEquals(parts.map(({ message_segment }) => Reflect.get(message_segment, "extra")), [1, 1]);
  });

  it("counts bytes as the ASCII they make of everything", () => {
    const message = messageOf(seg.text("漢".repeat(20)), seg.of("image", new Uint8Array(90)), seg.text("漢"));
    const parts = splitMessage(message, EMPTY + 180);
    assert(parts.length > 1 && parts.every((part) => size(part) <= EMPTY + 180));
  });

  for (
    const [what, segment, path] of [
      ["an image", seg.image("A".repeat(400)), "$.message_segment.data[1].data"],
      ["bytes", seg.of("image", new Uint8Array(400)), "$.message_segment.data[1].data"],
      ["a file", seg.file({ base64: "A".repeat(400) }), "$.message_segment.data[1].data.base64"],
      [
        "a segment in a list",
        seg.of("seglist", [seg.dict({ a: "A".repeat(400) })]),
        "$.message_segment.data[1].data[0].data",
      ],
    ] as const
  ) {
    it(`throws too_large with its path when ${what} fits in no part`, () => {
      const { code, path: found } = refused(messageOf(seg.text("a"), segment), 300);
      assertEquals([code, found], ["too_large", path]);
    });
  }

  it("throws too_large when not even what surrounds the segments fits, or not one character", () => {
    assertEquals(refused(messageOf(seg.text("a")), EMPTY - 1).path, "$.message_info");
    assertEquals(refused(messageOf(seg.text("漢漢")), EMPTY + 27).path, "$.message_segment.data[0].data");
  });

  it("throws what encodeMessage() throws when the message breaks a rule", () => {
    assertEquals(refused(wrong({ message_info: INFO }), 100).path, "$.message_segment");
  });

  it("throws too_large when a custom message does not fit", () => {
    assertEquals(refused(wrong(fullCustom()), 10).path, "$");
    assertEquals(splitMessage(wrong(fullCustom()), 1000).length, 1);
  });

  it("throws a TypeError when bytes are not in memory, and a RangeError when the limit is no limit", () => {
    assertThrows(() => splitMessage(messageOf(seg.of("image", new Blob(["a"]))), 1000), TypeError);
    for (const limit of [0, -1, NaN]) assertThrows(() => splitMessage(messageOf(), limit), RangeError);
  });

  it("splits a long text in a moment", () => {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text("漢".repeat(3_000_000)));
    const began = performance.now();
    const parts = splitMessage(message, 100_000);
    assert(parts.length > 90 && performance.now() - began < 5000);
  });
});
