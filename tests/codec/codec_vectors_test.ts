import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeMessage, encodeMessage, MessageDecodeError } from "../../codec.ts";
import { isCustomMessage, isMessageBase } from "../../schema.ts";
import { putAt } from "../support/samples.ts";
import { roundtripVectors, seedVectors } from "../support/vectors.ts";

/** Rows that break a rule of design.md 3, and where: what Python makes of them is in the file. */
const OUTSIDE: Readonly<Record<string, string>> = {
  null_platform: "$.message_info.platform",
  missing_message_info: "$.message_info",
  missing_message_segment: "$.message_segment",
  empty_object: "$.message_info",
  message_info_null: "$.message_info",
  message_segment_null: "$.message_segment",
  message_info_empty: "$.message_info.platform",
  message_segment_empty: "$.message_segment.type",
  segment_missing_data: "$.message_segment.data",
  segment_missing_type: "$.message_segment.type",
  segment_null_type: "$.message_segment.type",
  segment_null_data: "$.message_segment.data",
  sender_info_array: "$.message_info.sender_info",
  user_info_string: "$.message_info.user_info",
  user_info_array: "$.message_info.user_info",
  user_info_number: "$.message_info.user_info",
  group_info_string: "$.message_info.group_info",
  format_info_array: "$.message_info.format_info",
  template_info_string: "$.message_info.template_info",
  message_info_array: "$.message_info",
  message_segment_string: "$.message_segment",
  message_segment_array: "$.message_segment",
  platform_number: "$.message_info.platform",
  platform_bool: "$.message_info.platform",
  time_string: "$.message_info.time",
  time_bool: "$.message_info.time",
  user_id_number: "$.message_info.user_info.user_nickname", // the id is fine, the nickname 42 is not
  user_id_bool: "$.message_info.user_info.user_id",
  group_id_object: "$.message_info.group_info.group_id",
  raw_message_number: "$.raw_message",
  raw_message_object: "$.raw_message",
  seglist_null_data: "$.message_segment.data",
  seglist_string_data: "$.message_segment.data",
  seglist_empty_string_data: "$.message_segment.data",
  seglist_object_data: "$.message_segment.data",
  seglist_empty_object_data: "$.message_segment.data",
  seglist_number_data: "$.message_segment.data",
  seglist_with_null_item: "$.message_segment.data[0]",
  seglist_with_string_item: "$.message_segment.data[0]",
  seglist_with_array_item: "$.message_segment.data[0]",
  seg_numeric_type: "$.message_segment.type",
  empty_strings_everywhere: "$.message_info.platform",
  top_level_array: "$",
  top_level_null: "$",
  top_level_bool: "$",
};

/** The same for what the Python client writes: it has already dropped or invented some members; null means inside. */
const WIRE_OUTSIDE: Readonly<Record<string, string | null>> = {
  missing_message_info: "$.message_info.platform",
  missing_message_segment: "$.message_segment.type",
  empty_object: "$.message_info.platform",
  sender_info_array: null,
  user_info_string: null,
  user_info_array: null,
  user_info_number: null,
  group_info_string: null,
  format_info_array: null,
  template_info_string: null,
  seglist_empty_string_data: null,
  seglist_empty_object_data: null,
};

/** Values that decoding and encoding change, beside nulls, by row. */
const CHANGED: Readonly<Record<string, readonly [path: string, value: string]>> = {
  message_id_number: ["$.message_info.message_id", "12345"],
  int_above_2_53: ["$.message_info.user_info.user_id", "9007199254740993"],
  unicode_lone_low_surrogate: ["$.message_segment.data", "a\ufffdb"],
};

type Fields = Record<string, unknown>;

const INFOS = ["user_info", "group_info", "format_info", "template_info", "sender_info", "receiver_info"];

/** Deletes the nulls of an object and of the infos in it: what design.md 4 says of `message_info`. */
function dropNulls(info: Fields): void {
  for (const [key, value] of Object.entries(info)) {
    if (value === null) delete info[key];
    else if (INFOS.includes(key)) dropNulls(value as Fields); // rows inside the rules have objects here
  }
}

function expectedText(name: string, text: string): string {
  const message: { message_info: Fields } = JSON.parse(text);
  dropNulls(message.message_info);
  const change = CHANGED[name];
  if (change !== undefined) putAt(message, ...change);
  return JSON.stringify(message);
}

function testRow(label: string, name: string, text: string, path: string | null): void {
  if (path === null) {
    it(`gives back only what the rules change when ${label} is ${name}`, () => {
      assertStrictEquals(encodeMessage(decodeMessage(text)), expectedText(name, text));
    });
    it(`gives a message that isMessageBase() takes when ${label} is ${name}`, () => {
      assertStrictEquals(isMessageBase(decodeMessage(text)), true);
    });
  } else {
    it(`throws invalid_shape at ${path} when ${label} is ${name}`, () => {
      const error = assertThrows(() => decodeMessage(text), MessageDecodeError);
      assertEquals([error.code, error.path], ["invalid_shape", path]);
    });
  }
}

describe("decodeMessage() of legacy_roundtrip.jsonl", () => {
  for (const { name, inputText, wireText } of roundtripVectors) {
    const path = OUTSIDE[name] ?? null;
    testRow("the row", name, inputText, path);
    const wirePath = WIRE_OUTSIDE[name];
    if (wireText !== null) {
      testRow("the Python client's text of", name, wireText, wirePath === undefined ? path : wirePath);
    }
  }

  it("has every row named in the tables of this test", () => {
    const names = new Set(roundtripVectors.map(({ name }) => name));
    const known = [OUTSIDE, WIRE_OUTSIDE, CHANGED].flatMap((table) => Object.keys(table));
    assertEquals([names.size, known.filter((name) => !names.has(name))], [105, []]);
  });
});

describe("decodeMessage() of the seed", () => {
  for (const [name, message] of Object.entries(seedVectors.messages)) {
    it(`gives the message as it stands when it is ${name}`, () => {
      const text = JSON.stringify(message);
      assertStrictEquals(encodeMessage(decodeMessage(text)), text);
    });
    it(`gives no custom message when it is ${name}`, () => {
      assertStrictEquals(isCustomMessage(decodeMessage(JSON.stringify(message))), false);
    });
  }
});
