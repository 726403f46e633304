import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { FakeMaiBot, type MaibotReceipt } from "../../maibot/fake/mod.ts";
import { plainText } from "../../schema.ts";
import { connect, receiptOfText } from "../support/fake_maibot.ts";
import { Heard } from "../support/peers/listen.ts";

/** A frame as a Python adapter writes it: members of `message_info` and a segment as text. */
function frame(info: string, segment: string = '{"type":"text","data":"hi"}'): string {
  const user = '"user_info":{"user_id":"u1","user_nickname":"n"}';
  // Python takes the last of two members of one name.
  const known = `"platform":"qq","message_id":"m1","time":1703123456.5,${user}`;
  return `{"account_id":"777","message_info":{${known}${info}},"message_segment":${segment}}`;
}

const dict = (data: string): string => frame("", `{"type":"dict","data":${data}}`);

/** What a fake says of it: the text of MaiBot's line, or what it kept. */
type FrameRow = readonly [what: string, text: string, said: string | null];

describe("FakeMaiBot reads frames as Python does:", () => {
  const rows: readonly FrameRow[] = [
    ["NaN among the free data", frame(',"additional_config":{"n":NaN}'), null],
    ["Infinity in a dict", dict('{"n":Infinity,"m":-Infinity}'), null],
    ["NaN in a dict", dict('{"n":NaN}'), null],
    ["a time that is NaN", frame(',"time":NaN'), "预处理消息失败: Invalid value NaN (not a number)"],
    [
      "a time that is Infinity",
      frame(',"time":Infinity'),
      "预处理消息失败: timestamp out of range for platform time_t",
    ],
    [
      "a time that is no number at all",
      frame(',"time":1e400'),
      "预处理消息失败: timestamp out of range for platform time_t",
    ],
    ["NaN for an account", frame("").replace('"777"', "NaN"), "预处理消息失败: 消息 account_id 必须是字符串或 None"],
    ["the word NaN in a text", frame("", '{"type":"text","data":"NaN, \\"Infinity\\""}'), null],
    ["an integer that a database holds", dict('{"n":18446744073709551615,"m":-9223372036854775808}'), null],
    ["an integer that is too large", dict('{"n":18446744073709551616}'), "消息处理失败: Integer value out of range"],
    ["an integer that is too small", dict('{"n":[-9223372036854775809]}'), "消息处理失败: Integer value out of range"],
    ["the same as a float", dict('{"n":18446744073709551616.0,"m":1e30}'), null],
    ["the same among the free data", frame(',"additional_config":{"n":18446744073709551616}'), null],
    [
      "an integer of 4301 digits, which is no JSON to Python",
      frame(`,"additional_config":{"n":${"1".repeat(4301)}}`),
      "平台 qq 收到无法解析的 JSON",
    ],
    [
      "half a pair in a text",
      frame("", '{"type":"text","data":"a😀\\ud83d"}'),
      "消息处理失败: 'utf-8' codec can't encode character '\\ud83d' in position 2: surrogates not allowed",
    ],
    [
      "half a pair in a name",
      frame(',"user_info":{"user_id":"u1","user_nickname":" \\udc00\\udc01 "}'),
      "预处理消息失败: 'utf-8' codec can't encode characters in position 0-1: surrogates not allowed",
    ],
    [
      "half a pair in an account",
      frame("").replace('"777"', '"\\ud800"'),
      "预处理消息失败: 'utf-8' codec can't encode character '\\ud800' in position 11: surrogates not allowed",
    ],
    ["a whole pair in two escapes", frame("", '{"type":"text","data":"\\ud83d\\ude00"}'), null],
    ["half a pair where nothing is stored", frame(',"format_info":{"x":"\\ud800"}'), null],
    ["a custom message whose name is half a pair", '{"is_custom_message":true,"message_type_name":"\\ud800"}', null],
    ["a type that is a list", frame("", '{"type":["x"]}'), "预处理消息失败: unhashable type: 'list'"],
    [
      "a name that is an object",
      `${frame("").slice(0, -1)},"message_type_name":{"a":1}}`,
      "TypeError: unhashable type: 'dict'",
    ],
    ["text after the frame", `${frame("")} x`, "平台 qq 收到无法解析的 JSON"],
    ["a frame that begins with a mark of byte order", `\ufeff${frame("")}`, "平台 qq 收到无法解析的 JSON"],
    ["a name that ends in the middle of a number", frame(',"time":1Infinity'), "平台 qq 收到无法解析的 JSON"],
  ];
  const LOST = new Set(["a custom message whose name is half a pair"]);
  for (const [what, text, said] of rows) {
    it(`${what} ${said === null ? "passes" : `is ${said.slice(0, 40)}`}`, async () => {
      const { isAccepted, isAnswerable, log } = await receiptOfText(text);
      const isTaken = said === null && !LOST.has(what);
      assertEquals([isAccepted, isAnswerable], [isTaken, isTaken]);
      if (!LOST.has(what)) assertEquals(log?.text ?? null, said);
    });
  }

  it("gives the numbers that JavaScript has, and digits where it has none", async () => {
    const text = dict('{"n":NaN,"float":1.0,"long":18446744073709551615,"deep":[9007199254740993]}');
    const { value } = await receiptOfText(text);
    const { message_segment } = value as { message_segment: { data: unknown } }; // as it was sent
    const found = message_segment.data;
    assertEquals(found, { n: NaN, float: 1, long: "18446744073709551615", deep: ["9007199254740993"] });
  });

  it("gives a message whose frame is no JSON to JavaScript", async () => {
    const { message, isAccepted } = await receiptOfText(frame(',"additional_config":{"n":NaN}'));
    assertEquals([isAccepted, message && plainText(message)], [true, "hi"]);
  });

  it("gives an id that is an integer of any size as its digits", async () => {
    const { message } = await receiptOfText(frame(',"message_id":12345678901234567890123'));
    assertEquals(message?.message_info.message_id, "12345678901234567890123");
  });

  it("answers frames that are no JSON to JavaScript", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    await using peer = await connect(bot);
    peer.socket.send(frame(',"additional_config":{"n":NaN}'));
    assertEquals(plainText(JSON.parse(await peer.text() ?? "null")), "hi");
  });

  it("reads on after a name that cannot be looked up, which ends the task of one frame alone", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const received = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
    await using peer = await connect(bot);
    peer.socket.send('{"message_type_name":["x"]}');
    const [{ kind, isAccepted, log, issues }] = await received.next();
    assertEquals([kind, isAccepted, log?.level], ["custom", false, "error"]);
    assertEquals(issues.map(({ rule }) => rule), ["custom_unhashable"]);
    peer.socket.send(frame(""));
    assertMatch(await peer.text() ?? "", /"hi"/);
  });
});
