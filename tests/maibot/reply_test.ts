import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeMessage } from "../../codec.ts";
import {
  echoing,
  echoMessageId,
  maibotIssues,
  mention,
  type ReplyTarget,
  replyTarget,
  stripTrusted,
  unwrap,
} from "../../maibot/mod.ts";
import { MessageClient, MessageServer } from "../../mod.ts";
import { createCustom, createMessage, createReply, isSeg, type MessageBase, type Seg, seg } from "../../schema.ts";
import { outboundVectors } from "../support/maibot_vectors.ts";
import { heard, heardCustom } from "../support/peers/listen.ts";
import { show, whilePolluted, wrong } from "../support/samples.ts";

// ------------------------------------------------------------------------------------------ replyTarget

const GROUP = { kind: "group", id: "g1", platform: "qq", account: "10001" } as const;

/** Whom MaiBot 1.2.1 meant; the last two rows were sent without the metadata that names an account or a target. */
const TARGETS: Readonly<Record<string, ReplyTarget | null>> = {
  group_reply_text_at: GROUP,
  private_text: { kind: "private", id: "u1", platform: "qq", account: "10001" },
  private_text_no_target_metadata: null,
  group_media: GROUP,
  group_forward: GROUP,
};

/** A message of MaiBot's that names the bot in `user_info` and `sender_info`, and `more` beside it. */
function fromBot(more: Record<string, unknown>): MessageBase {
  const bot = { platform: "qq", user_id: "bot", user_nickname: "麦麦" };
  const message_info = { platform: "qq", message_id: "send_api_1", user_info: bot, sender_info: { user_info: bot } };
  return { message_info: { ...message_info, ...more }, message_segment: seg.list(seg.text("hi")) };
}
const receiver = (user: unknown, group: unknown = null): Record<string, unknown> => ({
  receiver_info: { user_info: user, group_info: group },
});
const config = (additional_config: unknown): Record<string, unknown> => ({ additional_config });
const u = (user_id: unknown): Record<string, unknown> => ({ user_id });
const g = (group_id: unknown): Record<string, unknown> => ({ group_id });
const TO_USER = { platform_io_target_user_id: "u1" };
const TO_GROUP = { platform_io_target_group_id: "g1" };

const ORDER: readonly (readonly [what: string, more: Record<string, unknown>, expected: string | null])[] = [
  [
    "group_info before all",
    { group_info: g("g0"), ...config({ ...TO_GROUP, ...TO_USER }), ...receiver(u("u2")) },
    "group g0",
  ],
  ["the target group before the receiver", { ...config(TO_GROUP), ...receiver(u("u2"), g("g2")) }, "group g1"],
  ["the receiver's group before its user", { ...config(TO_USER), ...receiver(u("u2"), g("g2")) }, "group g2"],
  ["the receiver before the target user", { ...config(TO_USER), ...receiver(u("u2")) }, "private u2"],
  ["the target user where the receiver is the bot", { ...config(TO_USER), ...receiver(u("bot")) }, "private u1"],
  ["nobody where the receiver is the bot", receiver(u("bot")), null],
  ["nobody where nothing is named", {}, null],
  ["an all-null group_info as none", { group_info: g(null), ...config(TO_USER) }, "private u1"],
  ["an all-null receiver as none", { ...receiver(u(null), g(null)), ...config(TO_USER) }, "private u1"],
  [
    "an empty target as none",
    { ...config({ platform_io_target_group_id: " ", platform_io_target_user_id: "" }) },
    null,
  ],
  ["numbers among free data", config({ platform_io_target_user_id: 10001 }), "private 10001"],
  ["free data that is no object as none", config("u1"), null],
  ["ends that are no objects as none", { receiver_info: "u1", group_info: [] }, null],
];

/** Free data, and the scope in it. */
const SCOPES: readonly (readonly [additional: Record<string, unknown>, scope?: string])[] = [
  [{ self_id: 10001, bot_account: "x", account_id: "a", platform_io_account_id: "p" }],
  [{ bot_account: "x", connection_id: "c" }, "c"],
  [{ connection_id: 5 }, "5"],
  [{ platform_io_scope: "p", route_scope: "r", adapter_scope: "s" }, "p"],
  [{ platform_io_scope: " ", route_scope: "r", adapter_scope: "s" }, "r"],
  [{ adapter_scope: "s", route_scope: null }, "s"],
  [{ scope: "s" }],
];

/** Authors, and the account to speak as. */
const ACCOUNTS: readonly (readonly [user_info: unknown, account?: string])[] = [
  [u("777"), "777"],
  [u(777), "777"],
  [u(" 777 "), "777"],
  [u(" ")],
  [u(null)],
  [{}],
  ["777"],
];

describe("replyTarget()", () => {
  for (const { name, legacy, api } of outboundVectors) {
    it(`understands ${name} as it leaves on the legacy transport`, () => {
      const message = decodeMessage(JSON.stringify(legacy));
      assert("message_info" in message);
      assertEquals(replyTarget(message), TARGETS[name] ?? null);
    });
    it(`understands ${name} as it leaves on the API server`, () => {
      assertEquals(replyTarget(wrong(api)), TARGETS[name] ?? null);
    });
  }

  for (const [what, more, expected] of ORDER) {
    it(`takes ${what}`, () => {
      const target = replyTarget(fromBot(more));
      assertEquals(target === null ? null : `${target.kind} ${target.id}`, expected);
    });
  }

  for (const [additional, scope] of SCOPES) {
    it(`takes the account from the author and the scope from ${show(additional)}`, () => {
      const target = replyTarget(fromBot({ group_info: g("g1"), ...config(additional) }));
      assertEquals(target, { ...GROUP, account: "bot", ...(scope === undefined ? {} : { scope }) });
    });
  }

  for (const [user_info, account] of ACCOUNTS) {
    it(`names ${account === undefined ? "no account" : `the account ${account}`} of the author ${show(user_info)}`, () => {
      const message = fromBot({ user_info, group_info: g("g1"), ...config({ self_id: "999" }) });
      assertEquals(replyTarget(message)?.account, account);
    });
  }

  it("understands an answer made by createReply", () => {
    const question = createMessage({ platform: "qq", user: "10001" }, seg.text("ping"));
    assertEquals(replyTarget(createReply(question, seg.text("pong")))?.id, "10001");
  });

  it("names the account that an answer made by createReply is sent as, and never the user it is for", () => {
    const answer = (more: { account?: string }) => {
      return createReply(createMessage({ platform: "qq", user: "10001", ...more }, seg.text("ping")), seg.text("pong"));
    };
    assertEquals(replyTarget(answer({ account: "777" }))?.account, "777");
    assertEquals(replyTarget(answer({}))?.account, undefined);
    const inGroup = createMessage({ platform: "qq", user: "10001", group: "g1" }, seg.text("ping"));
    const target = replyTarget(createReply(inGroup, seg.text("pong")));
    assertEquals([target?.kind, target?.id, target?.account], ["group", "g1", undefined]);
  });

  it("never takes the bot that a converted message names as its receiver", () => {
    const message = { ...fromBot({ user_info: undefined, sender_info: undefined, ...receiver(u("bot")) }) };
    assertEquals(replyTarget(message), null);
  });

  it("takes a user_info that is null for none, as in a converted message", () => {
    const message = fromBot({ user_info: null, sender_info: null, ...receiver(u("bot")), ...config(TO_USER) });
    assertEquals(replyTarget(message)?.id, "u1");
  });

  it("sees own members only, and asks nothing of what is no message", () => {
    whilePolluted({ group_info: g("g9") }, () => assertEquals(replyTarget(fromBot({})), null));
    assertEquals([null, 5, {}, { message_info: 5 }].map((value) => replyTarget(wrong(value))), [
      null,
      null,
      null,
      null,
    ]);
  });
});

// ------------------------------------------------------------------------------------------ unwrap

const WRAPPED: readonly (readonly [segment: Seg, inner: Seg])[] = [
  [seg.dict({ type: "command", data: { name: "GROUP_BAN" } }), { type: "command", data: { name: "GROUP_BAN" } }],
  [seg.dict({ type: "music", data: "4711" }), { type: "music", data: "4711" }],
  [seg.dict({ type: "video", data: null }), { type: "video", data: null }],
];
const NOT_WRAPPED: readonly Seg[] = [
  seg.text("command"),
  seg.dict({ type: "poke" }),
  seg.dict({ type: "", data: 1 }),
  seg.dict({ type: 5, data: 1 }),
  seg.dict({ data: { type: "command" } }),
  { type: "command", data: { type: "video", data: "AQID" } },
  { type: "dict", data: "x" },
  { type: "dict" },
];

describe("unwrap()", () => {
  for (const [segment, inner] of WRAPPED) {
    it(`takes ${inner.type} out of its dict`, () => assertEquals(unwrap(segment), inner));
  }
  for (const segment of NOT_WRAPPED) {
    it(`gives back ${show(segment)} itself`, () => assertStrictEquals(unwrap(segment), segment));
  }

  it("takes the command out of what MaiBot sent", () => {
    const message = outboundVectors.find(({ name }) => name === "group_media")?.legacy as MessageBase; // a message
    assert(isSeg(message.message_segment, "seglist"));
    const types = message.message_segment.data.map((piece) => unwrap(piece).type);
    assertEquals(types, ["image", "emoji", "voice", "file", "command"]);
  });
});

// ------------------------------------------------------------------------------------------ echoes

/** A client that keeps what it should send. */
function recorder() {
  const sent: (readonly [name: string, content: unknown])[] = [];
  return { sent, sendCustom: (name: string, content: unknown) => void sent.push([name, content]) };
}

const MESSAGE = fromBot({ group_info: g("g1") });

function echoOf(actual_id: string): readonly [name: string, content: unknown] {
  return ["message_id_echo", { type: "echo", echo: "send_api_1", actual_id }];
}

describe("echoMessageId()", () => {
  for (
    const [id, text] of [["4711", "4711"], [4711, "4711"], [9007199254740993n, "9007199254740993"], [0, "0"]] as const
  ) {
    it(`sends ${typeof id} ${id} as a string`, () => {
      const client = recorder();
      echoMessageId(client, MESSAGE, id);
      assertEquals(client.sent, [echoOf(text)]);
      assertEquals(maibotIssues(createCustom(...echoOf(text), "qq")), []);
    });
  }

  for (const id of ["", " ", NaN, 1.5, 2 ** 53, null, {}]) {
    it(`refuses ${show(id)}, naming the argument`, () => {
      const client = recorder();
      const error = assertThrows(() => echoMessageId(client, MESSAGE, wrong(id)), TypeError, "'actualId'");
      assertInstanceOf(error, TypeError);
      assertEquals(client.sent, []);
    });
  }

  it("refuses a message without an id", () => {
    const message = fromBot({ message_id: undefined });
    assertThrows(() => echoMessageId(recorder(), message, "1"), TypeError, "message.message_info.message_id");
  });
});

describe("echoing()", () => {
  it("echoes what the handler returns", () => {
    const client = recorder();
    assertEquals(echoing(client, () => 7)(MESSAGE), undefined);
    assertEquals(client.sent, [echoOf("7")]);
  });

  it("echoes what the handler promises, once that is known", async () => {
    const client = recorder();
    const { promise, resolve } = Promise.withResolvers<string>();
    const done = echoing(client, () => promise)(MESSAGE);
    assertEquals(client.sent, []);
    resolve("7");
    await done;
    assertEquals(client.sent, [echoOf("7")]);
  });

  for (const nothing of [undefined, null]) {
    it(`echoes nothing for ${nothing}, and for a promise of it`, async () => {
      const client = recorder();
      await echoing(client, () => nothing)(MESSAGE);
      await echoing(client, () => Promise.resolve(nothing))(MESSAGE);
      assertEquals(client.sent, []);
    });
  }

  it("passes on what the handler throws or rejects with", async () => {
    const client = recorder();
    const failure = new Error("no such chat");
    assertThrows(
      () =>
        echoing(client, () => {
          throw failure;
        })(MESSAGE),
      Error,
      "no such chat",
    );
    await assertRejects(
      async () => await echoing(client, () => Promise.reject(failure))(MESSAGE),
      Error,
      "no such chat",
    );
    assertEquals(client.sent, []);
  });

  it("goes the whole way over a connection, and a failure is an error event", async () => {
    await using server = new MessageServer();
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    const [echoes, errors, opened] = [
      heardCustom(server, "message_id_echo"),
      heard(client, "error"),
      heard(server, "open"),
    ];
    const ids = ["4711", null, new Error("no such chat"), 4712];
    client.on(
      "message",
      echoing(client, async () => {
        await Promise.resolve();
        const id = ids.shift();
        if (id instanceof Error) throw id;
        return id;
      }),
    );
    await client.connect();
    await opened.next();
    for (const message_id of ["a", "b", "c", "d"]) server.send(fromBot({ message_id }));
    assertEquals((await echoes.next())[0].content, { type: "echo", echo: "a", actual_id: "4711" });
    assertEquals((await echoes.next())[0].content, { type: "echo", echo: "d", actual_id: "4712" });
    assertEquals((await errors.next())[0], new Error("no such chat"));
  });
});

// ------------------------------------------------------------------------------------------ marks

const ASKED = createMessage({ platform: "qq", user: "1", additional_config: { self_id: "9" } }, seg.text("在吗？"));

describe("mention()", () => {
  it("says that the bot was addressed by an @", () => {
    const mentioned = mention(ASKED).message_info.additional_config;
    assertEquals(mentioned, { self_id: "9", is_mentioned: true, at_bot: true });
  });

  it("says that it was addressed without one", () => {
    const mentioned = mention(ASKED, { isWeak: true }).message_info.additional_config;
    assertEquals(mentioned, { self_id: "9", is_mentioned: true });
  });

  it("leaves the message given as it is, and the rest of it", () => {
    const before = JSON.stringify(ASKED);
    const { message_info, ...rest } = mention(ASKED);
    assertEquals(JSON.stringify(ASKED), before);
    assertEquals(rest, { message_segment: ASKED.message_segment });
    assertEquals({ ...message_info, additional_config: { self_id: "9" } }, ASKED.message_info);
  });

  it("replaces free data that is no object", () => {
    const mentioned = mention(fromBot(config("x")));
    assertEquals(mentioned.message_info.additional_config, { is_mentioned: true, at_bot: true });
  });
});

describe("stripTrusted()", () => {
  const foreign = fromBot({ platform: "bot_console", ...config({ is_local_operator: true, self_id: "9" }) });

  it("takes is_local_operator out of a copy", () => {
    const before = JSON.stringify(foreign);
    const stripped = stripTrusted(foreign);
    assertEquals(stripped.message_info.additional_config, { self_id: "9" });
    assertEquals(maibotIssues(stripped).filter(({ rule }) => rule === "local_operator"), []);
    assertEquals(JSON.stringify(foreign), before);
  });

  it("takes it out whatever it holds", () => {
    const stripped = stripTrusted(fromBot(config({ is_local_operator: 0 })));
    assertEquals(stripped.message_info.additional_config, {});
  });

  for (const additional of [{ self_id: "9" }, null, undefined, "is_local_operator", []]) {
    it(`gives back a message with ${show(additional)} itself`, () => {
      const message = fromBot(config(additional));
      assertStrictEquals(stripTrusted(message), message);
    });
  }
});
