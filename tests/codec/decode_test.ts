import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeMessage, encodeMessage } from "../../codec.ts";
import type { MessageBase } from "../../schema.ts";
import { again, customText, decodeError } from "../support/codec.ts";
import { fullCustom, fullMessage, messageText, whilePolluted } from "../support/samples.ts";

const BIG = "9007199254740993";

const LONG = "123456789".repeat(45).slice(0, 400);

/** A text, and the text after decoding and encoding. */
const EXACT: readonly (readonly [what: string, text: string, after: string])[] = [
  ...["message_id"].flatMap((key) =>
    [["5", '"5"'], ["0", '"0"'], ["-7", '"-7"'], [BIG, `"${BIG}"`], [LONG, `"${LONG}"`], [
      "1e22",
      `"1${"0".repeat(22)}"`,
    ]].map(
      ([from, to]) => [`${key} is ${from}`, messageText(`"${key}":${from}`), messageText(`"${key}":${to}`)] as const,
    )
  ),
  ...["user_info", "group_info"].flatMap((key) => {
    const id = key.replace("info", "id");
    return [["5", '"5"'], [BIG, `"${BIG}"`], [`-${BIG}`, `"-${BIG}"`], [LONG, `"${LONG}"`]].flatMap(([from, to]) => [
      [`${id} is ${from}`, messageText(`"${key}":{"${id}":${from}}`), messageText(`"${key}":{"${id}":${to}}`)] as const,
      ...["sender_info", "receiver_info"].map((party) =>
        [
          `${id} of ${party} is ${from}`,
          messageText(`"${party}":{"${key}":{"${id}":${from}}}`),
          messageText(`"${party}":{"${key}":{"${id}":${to}}}`),
        ] as const
      ),
    ]);
  }),
  ...[
    ["5", "5"],
    ["9007199254740991", "9007199254740991"],
    ["9007199254740992", "9007199254740992"],
    ["-9007199254740992", "-9007199254740992"],
    [BIG, `"${BIG}"`],
    [`-${BIG}`, `"-${BIG}"`],
    ["9007199254740994", '"9007199254740994"'],
    ["18446744073709551615", '"18446744073709551615"'],
    [LONG, `"${LONG}"`],
    ["1e22", "1e+22"],
    ["1E22", "1e+22"],
    ["1e400", '"1e400"'],
    ["-1E+400", '"-1E+400"'],
    ["[9e0309]", '["9e0309"]'],
    ["1.0", "1"],
    ["-0.0", "0"],
    ["0.1", "0.1"],
    [`[1,[${BIG}],{"a":${BIG},"b":null}]`, `[1,["${BIG}"],{"a":"${BIG}","b":null}]`],
    [`{"__proto__":{"a":${BIG}}}`, `{"__proto__":{"a":"${BIG}"}}`],
    [`{"text":"${BIG}","n":${BIG}}`, `{"text":"${BIG}","n":"${BIG}"}`],
  ].flatMap(([from, to]) => [
    [
      `additional_config is ${from}`,
      messageText(`"additional_config":${from}`),
      messageText(`"additional_config":${to}`),
    ] as const,
    [`the content of a custom message is ${from}`, customText(`${from}`), customText(`${to}`)] as const,
    [
      `data of an unknown type is ${from}`,
      messageText("", `{"type":"x","data":${from}}`),
      messageText("", `{"type":"x","data":${to}}`),
    ] as const,
  ]),
  [
    `an at object has ${BIG}`,
    messageText("", `{"type":"seglist","data":[{"type":"at","data":{"target_user_id":${BIG}}}]}`),
    messageText("", `{"type":"seglist","data":[{"type":"at","data":{"target_user_id":"${BIG}"}}]}`),
  ],
  ["time is in nanoseconds", messageText('"time":1703123456789000192'), messageText('"time":1703123456789000200')],
  ["time has 17 digits", messageText('"time":1703123456.7891235'), messageText('"time":1703123456.7891235')],
  [
    `time is in nanoseconds beside an id of ${BIG}`,
    messageText(`"time":1703123456789000192,"message_id":${BIG}`),
    messageText(`"time":1703123456789000200,"message_id":"${BIG}"`),
  ],
  [
    `time inside additional_config is ${BIG}`,
    messageText(`"additional_config":{"message_info":{"time":${BIG}}}`),
    messageText(`"additional_config":{"message_info":{"time":"${BIG}"}}`),
  ],
];

describe("decodeMessage() and encodeMessage()", () => {
  for (const [what, text, after] of EXACT) {
    it(`change nothing else when ${what.length > 80 ? `${what.slice(0, 80)}...` : what}`, () => {
      assertStrictEquals(again(text), after);
    });
  }

  it("keep the type of time when it is in nanoseconds", () => {
    const message = decodeMessage(messageText('"time":1703123456789000192')) as MessageBase; // of the text above
    assertStrictEquals(message.message_info.time, 1703123456789000192);
  });

  for (const key of ["__proto__", "constructor", "toJSON", "hasOwnProperty"]) {
    it(`keep ${key} when it is a key everywhere`, () => {
      const extra = `"${key}":{"polluted":1,"a":null}`;
      const text = `{"message_info":{"platform":"qq","user_info":{${extra}},"additional_config":{${extra}},${extra}},` +
        `"message_segment":{"type":"seglist","data":[{"type":"dict","data":{${extra}},${extra}}],${extra}},${extra}}`;
      assertStrictEquals(again(text), text);
      assertStrictEquals(Reflect.get({}, "polluted"), undefined);
    });
  }

  it("change nothing when every member is there", () => {
    const text = JSON.stringify(fullMessage());
    assertStrictEquals(again(text), text);
  });

  it("change nothing when a custom message has every member", () => {
    const text = JSON.stringify(fullCustom());
    assertStrictEquals(again(text), text);
  });
});

/** Texts that are not JSON. */
const NO_JSON: readonly (readonly [what: string, text: string])[] = [
  ["empty", ""],
  ["white space", " \n"],
  ["preceded by a BOM", `\ufeff${messageText()}`],
  ["cut off", messageText().slice(0, -1)],
  ["followed by more", `${messageText()}{}`],
  ["one with NaN", messageText('"time":NaN')],
  ["one with Infinity", messageText('"time":Infinity')],
  ["one with -Infinity", messageText('"additional_config":-Infinity')],
  ["one with undefined", messageText('"additional_config":undefined')],
  ["one with a trailing comma", '{"message_info":{"platform":"qq",}}'],
  ["one in single quotes", "{'message_info':{}}"],
  ["one with a raw line break in a string", messageText("", '{"type":"text","data":"a\nb"}')],
  ["a word", "ping"],
];

describe("decodeMessage()", () => {
  for (const [what, text] of NO_JSON) {
    it(`throws invalid_json at $ when the text is ${what}`, () => {
      const { code, path } = decodeError(text);
      assertEquals([code, path], ["invalid_json", "$"]);
    });
  }

  it("says what belongs there and what stands there when a rule is broken", () => {
    const { expected, received, name } = decodeError(messageText("", '{"type":"text","data":5}'));
    assertEquals([expected, received, name], ["a string", "number", "MessageDecodeError"]);
  });

  it("throws invalid_shape when time is a number no double can hold", () => {
    const { code, path } = decodeError(messageText(`"time":${LONG}`));
    assertEquals([code, path], ["invalid_shape", "$.message_info.time"]);
  });

  it("gives a custom message when is_custom_message is true", () => {
    assertEquals<unknown>(decodeMessage(JSON.stringify(fullCustom())), fullCustom());
  });

  it("throws invalid_shape at $.message_type_name when a custom message has none", () => {
    const { code, path } = decodeError('{"content":1,"is_custom_message":true}');
    assertEquals([code, path], ["invalid_shape", "$.message_type_name"]);
  });

  for (const text of ['{"post_type":"message","self_id":1,"raw_message":"x"}', '{"self_id":1,"time":5}']) {
    it(`names OneBot when the text is ${text}`, () => assertStringIncludes(decodeError(text).message, "OneBot"));
  }

  it("does not name OneBot when the text is another object", () => assert(!/OneBot/.test(decodeError("{}").message)));
});

describe("a polluted Object.prototype", () => {
  it("does not make decodeMessage() take a message for a custom one", () => {
    const text = messageText('"message_id":5');
    const message = whilePolluted({ is_custom_message: true }, () => decodeMessage(text));
    assertStrictEquals(JSON.stringify(message), messageText('"message_id":"5"'));
  });

  it("does not make encodeMessage() take a message for a custom one", () => {
    const message = decodeMessage(messageText('"time":null'));
    assertStrictEquals(whilePolluted({ is_custom_message: true }, () => encodeMessage(message)), messageText());
  });

  for (const [what, members] of [["a string", { group_info: "x" }], ["null", { group_info: null }]] as const) {
    it(`does not make a member appear in encodeMessage() when a group_info is inherited that is ${what}`, () => {
      const message = decodeMessage(messageText());
      assertStrictEquals(whilePolluted(members, () => encodeMessage(message)), messageText());
    });
  }

  it("does not make encodeMessage() throw when a group_info is inherited that is an object", () => {
    const message = decodeMessage(messageText());
    const text = whilePolluted({ group_info: { group_id: "9", group_name: null } }, () => {
      try {
        return encodeMessage(message);
      } catch (error) {
        return String(error);
      }
    });
    assertStrictEquals(text, messageText());
  });

  it("is not changed by decodeMessage() when an inherited user_info has a number as id", () => {
    const user_info = { user_id: 5 };
    const text = '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}';
    // The walk of the rest is another matter: see the child process below.
    Object.defineProperty(Object.prototype, "user_info", { value: user_info, configurable: true });
    try {
      decodeMessage(text);
    } finally {
      Reflect.deleteProperty(Object.prototype, "user_info");
    }
    assertStrictEquals(user_info.user_id, 5);
  });
});
