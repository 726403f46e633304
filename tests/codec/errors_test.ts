import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";

import { CodecError, MessageEncodeError } from "../../codec.ts";
import { decodeError, encodeError } from "../support/codec.ts";
import { fullMessage, messageText, nestedLists } from "../support/samples.ts";

const SECRET = "U0VDUkVUc2VjcmV0";

const QUOTED = `"${SECRET}"`;

/** Texts that hold a secret right where they are wrong. */
const LEAKING: readonly (readonly [what: string, text: string])[] = [
  ["it is not JSON", SECRET],
  ["it is JSON cut off", `{"message_info":${QUOTED}`],
  ["it is a JSON string", QUOTED],
  ["message_info is a string", `{"message_info":${QUOTED}}`],
  ["time is a string", messageText(`"time":${QUOTED}`)],
  ["an id is an object", messageText(`"message_id":{${QUOTED}:1}`)],
  ["user_info is a string", messageText(`"user_info":${QUOTED}`)],
  ["content_format is a string", messageText(`"format_info":{"content_format":${QUOTED}}`)],
  ["a segment is a string", messageText("", QUOTED)],
  ["an image is an object", messageText("", `{"type":"image","data":{"base64":${QUOTED}}}`)],
  ["a list is a string", messageText("", `{"type":"seglist","data":${QUOTED}}`)],
  ["a custom message has no name", `{"content":${QUOTED},"is_custom_message":true}`],
  ["it is a OneBot event", `{"post_type":${QUOTED},"self_id":${QUOTED}}`],
  ["lists nest too deep", messageText("", nestedLists(40).replaceAll('"hi"', QUOTED))],
];

describe("MessageDecodeError", () => {
  for (const [what, text] of LEAKING) {
    it(`has nothing of the text when ${what}`, () => {
      const error = decodeError(text);
      assert(!`${inspect(error)} ${JSON.stringify(error)}`.includes(SECRET));
    });
  }

  it("has nothing of the text when it is too large", () => {
    assert(
      !inspect(decodeError(messageText("", `{"type":"text","data":${QUOTED}}`), { maxBytes: 10 })).includes(SECRET),
    );
  });

  it("is an Error", () => assertInstanceOf(decodeError(""), Error));
});

describe("CodecError", () => {
  it("is the base of both errors", () => {
    const [decoding, encoding] = [decodeError(""), encodeError({})];
    assertInstanceOf(decoding, CodecError);
    assertInstanceOf(encoding, CodecError);
    assertEquals([decoding.name, encoding.name], ["MessageDecodeError", "MessageEncodeError"]);
  });

  it("has the members of the fault it is made of", () => {
    const fault = { code: "invalid_shape", path: "$.a", expected: "a string" } as const;
    const { message, code, path, expected, received } = new MessageEncodeError("text", fault);
    assertEquals([message, code, path, expected, received], ["text", "invalid_shape", "$.a", "a string", undefined]);
  });

  it("says what is wrong, where, and what to do", () => {
    const { message } = decodeError('{"post_type":"message","self_id":1}');
    assertStringIncludes(
      message,
      "$.message_info must be an object; received undefined; this is a OneBot event: connect",
    );
  });

  it("names maxBytes when the message is too large", () => {
    assertStringIncludes(decodeError("123456", { maxBytes: 5 }).message, "larger than 5 bytes");
    assertStringIncludes(encodeError(fullMessage(), { maxBytes: 5 }).message, "'maxBytes'");
  });
});
