import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { isMessageBase, plainText, type Seg, seg } from "../../schema.ts";
import { fullMessage } from "../support/samples.ts";
import { seedVectors } from "../support/vectors.ts";

const BASE64 = "+/+/AQ==";

const BINARY = ["image", "emoji", "voice"] as const;

const HI = seg.text("hi");

const LABELS: readonly (readonly [piece: Seg, text: string])[] = [
  [seg.text("你好"), "你好"],
  [seg.image(BASE64), "[图片]"],
  [seg.emoji(BASE64), "[表情]"],
  [seg.voice(BASE64), "[语音]"],
  [seg.of("video", BASE64), "[视频]"],
  [seg.at("123"), "@123"],
  [seg.file({ name: "a" }), "[文件]"],
  [seg.of("totally_new_type", { secret: 1 }), "[totally_new_type]"],
  [seg.of("constructor", 1), "[constructor]"],
  [seg.list(), ""],
  [{ type: "seglist", data: [HI, { type: "seglist", data: [HI, seg.image(BASE64)] }] }, "hihi[图片]"],
];

describe("plainText()", () => {
  for (const [piece, text] of LABELS) {
    it(`gives "${text}" when the segment is a ${piece.type}`, () => assertEquals(plainText(piece), text));
  }

  it("gives the raw_message of the seed when the message is the seed's picture in a group", () => {
    const message = seedVectors.messages.rich_group;
    assert(isMessageBase(message));
    assertEquals(plainText(message), "请查看这张图片：[图片] 这是效果图。");
  });

  it("has no base64 when the message has some everywhere", () => {
    const pieces = [...BINARY, "video", "file", "dict", "forward", "reply", "music"].map((type) =>
      seg.of(type, "U0VDUkVU")
    );
    assert(!plainText({ type: "seglist", data: pieces }).includes("U0VDUkVU"));
  });

  it("takes a segment for a segment when it has a member message_segment", () => {
    const odd = Object.assign(seg.text("hi"), { message_segment: null });
    assertEquals([plainText(odd), plainText({ type: "seglist", data: [odd, odd] })], ["hi", "hihi"]);
  });

  it("flattens a message when every member is there", () => {
    const message = fullMessage();
    assert(isMessageBase(message));
    assertEquals(plainText(message), "hi@2");
  });
});
