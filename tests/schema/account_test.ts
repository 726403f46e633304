import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeMessage, encodeMessage } from "../../codec.ts";
import { ACCOUNT_KEYS, isRouteName, type Route, routeOf, SCOPE_KEYS, withRoute } from "../../schema/account.ts";
import { createCustom, createMessage, createReply, isMessageBase, type MessageBase, seg } from "../../schema.ts";
import { show, whilePolluted, wrong } from "../support/samples.ts";

/** A message with members at its top, in `message_info` and among the free data. */
function message(top: object = {}, info: object = {}, config?: unknown): MessageBase {
  const additional = config === undefined ? {} : { additional_config: config as Record<string, unknown> };
  return { message_info: { platform: "qq", ...info, ...additional }, message_segment: seg.text("hi"), ...top };
}

/** What is written into a message that names nothing. */
const WRITTEN = {
  message_info: {
    platform: "qq",
    additional_config: { platform_io_account_id: "777", platform_io_scope: "s" },
  },
  message_segment: { type: "text", data: "hi" },
  account_id: "777",
  scope: "s",
};
const BOTH: Route = { account: "777", scope: "s" };

describe("withRoute()", () => {
  it("writes account and scope at the top, and the keys that MaiBot 1.2 reads", () => {
    assertEquals(withRoute(message(), BOTH) as unknown, WRITTEN);
  });

  it("writes one of them alone", () => {
    const account = withRoute(message(), { account: "777" });
    assertEquals(account as unknown, message({ account_id: "777" }, {}, { platform_io_account_id: "777" }));
    const scope = withRoute(message(), { scope: "s" });
    assertEquals(scope as unknown, message({ scope: "s" }, {}, { platform_io_scope: "s" }));
  });

  it("gives back the message itself when there is nothing to write", () => {
    const given = message();
    assertStrictEquals(withRoute(given, {}), given);
    assertStrictEquals(withRoute(given, { account: undefined, scope: undefined }), given);
    const named = message({ account_id: "1", scope: "2" });
    assertStrictEquals(withRoute(named, BOTH), named);
  });

  it("leaves custom messages alone", () => {
    const custom = createCustom("poke", { a: 1 }, "qq");
    assertStrictEquals(withRoute(custom, BOTH), custom);
    const echo = { ...message(), is_custom_message: true as const, message_type_name: "x", content: 1 };
    assertStrictEquals(withRoute(echo, BOTH), echo);
  });

  it("changes nothing of the message given, however deep it is frozen", () => {
    const given = message({}, {}, { at_bot: true });
    const before = JSON.stringify(given);
    for (const part of [given, given.message_info, given.message_info.additional_config]) Object.freeze(part);
    const config = { at_bot: true, platform_io_account_id: "777", platform_io_scope: "s" };
    assertEquals(withRoute(given, BOTH) as unknown, { ...WRITTEN, ...message({}, {}, config) });
    assertEquals(JSON.stringify(given), before);
  });

  const naming: readonly (readonly [what: string, given: MessageBase])[] = [
    ["its top", message({ account_id: "1" })],
    ["a number at its top", message({ account_id: 1 })],
    ...ACCOUNT_KEYS.map((key) => [`${key} at its top`, message({ [key]: "1" })] as const),
    ...ACCOUNT_KEYS.map((key) => [`${key} in message_info`, message({}, { [key]: "1" })] as const),
    ...ACCOUNT_KEYS.map((key) => [`${key} among the free data`, message({}, {}, { [key]: 1 })] as const),
  ];
  for (const [what, given] of naming) {
    it(`writes no account into a message that names one by ${what}, and the scope all the same`, () => {
      const { account_id, scope, message_info } = withRoute(given, BOTH);
      assertEquals([account_id, scope], [given.account_id, "s"]);
      const config = message_info.additional_config as Record<string, unknown>; // the scope is in it
      const { platform_io_scope, ...rest } = config;
      assertEquals([platform_io_scope, rest], ["s", given.message_info.additional_config ?? {}]);
    });
  }

  const scoped: readonly (readonly [what: string, given: MessageBase])[] = [
    ["its top", message({ scope: "1" })],
    ...SCOPE_KEYS.map((key) => [`${key} in message_info`, message({}, { [key]: "1" })] as const),
    ...SCOPE_KEYS.map((key) => [`${key} among the free data`, message({}, {}, { [key]: "1" })] as const),
  ];
  for (const [what, given] of scoped) {
    it(`writes no scope into a message that names one by ${what}, and the account all the same`, () => {
      const { account_id, scope, message_info } = withRoute(given, BOTH);
      assertEquals([account_id, scope], ["777", given.scope]);
      const config = message_info.additional_config as Record<string, unknown>; // the account is in it
      const { platform_io_account_id, ...rest } = config;
      assertEquals([platform_io_account_id, rest], ["777", given.message_info.additional_config ?? {}]);
    });
  }

  for (const blank of [null, "", " \t", undefined]) {
    it(`takes ${show(blank) ?? "undefined"} for none`, () => {
      const given = message({ account_id: blank, scope: blank }, { self_id: blank }, { bot_account: blank });
      const written = withRoute(given, BOTH);
      assertEquals([written.account_id, written.scope], ["777", "s"]);
    });
  }

  for (const config of ["x", 5, [1]]) {
    it(`leaves free data that is ${show(config)} as it is`, () => {
      const written = withRoute(message({}, {}, config), BOTH);
      assertEquals([written.message_info.additional_config as unknown, written.account_id], [config, "777"]);
    });
  }

  it("adds to free data that is null", () => {
    assertEquals(withRoute(message({}, {}, null), BOTH) as unknown, WRITTEN);
  });

  it("does not look at what is no message", () => {
    for (const value of [null, 5, [], {}, { message_info: 5 }, { message_info: null }]) {
      assertStrictEquals(withRoute(wrong(value), BOTH), wrong(value));
    }
  });

  it("sees own members only, and copies no others", () => {
    whilePolluted({ account_id: "evil", self_id: "evil", additional_config: { is_local_operator: true } }, () => {
      assertEquals(Object.keys(withRoute(message(), BOTH).message_info.additional_config ?? {}), [
        "platform_io_account_id",
        "platform_io_scope",
      ]);
      assertEquals(withRoute(message(), BOTH).account_id, "777");
    });
    whilePolluted({ is_custom_message: true }, () => assertEquals(withRoute(message(), BOTH).account_id, "777"));
  });
});

describe("routeOf()", () => {
  const rows: readonly (readonly [given: object, account?: string | undefined, scope?: string])[] = [
    [message()],
    [message({ account_id: "1", scope: "2" }), "1", "2"],
    [message({ account_id: "1" }, {}, { self_id: "9", connection_id: "c" }), "1", "c"],
    [message({ account_id: null }, {}, { self_id: "9" }), "9"],
    [message({ account_id: " " }, { bot_account: "3" }, { self_id: "9" }), "3"],
    [message({ self_id: 5 }, { self_id: 6 }, { self_id: 7 }), "5"],
    [message({}, {}, { account_id: " ", self_id: 7, route_scope: "r" }), "7", "r"],
    [message({}, {}, { platform_io_account_id: "a", account_id: "b", self_id: "c", bot_account: "d" }), "a"],
    [
      message({}, {}, { platform_io_scope: "a", route_scope: "b", adapter_scope: "c", connection_id: "d" }),
      undefined,
      "a",
    ],
    [message({}, {}, { scope: "s" })],
    [message({}, {}, "x")],
    [createCustom("poke", {}, "qq")],
    [wrong({ message_info: 5 })],
  ];
  for (const [given, account, scope] of rows) {
    it(`reads ${show(given).slice(0, 150)}`, () => {
      const route = routeOf(given);
      assertEquals([route.account, route.scope], [account, scope]);
    });
  }
});

describe("isRouteName()", () => {
  const values: readonly (readonly [value: unknown, isName: boolean])[] = [
    ["777", true],
    [" 777 ", true],
    ["", false],
    [" ", false],
    [5, false],
    [null, false],
    // As Python's strip() has it, and not as trim().
    ["\x1c\u3000", false],
    ["\ufeff", true],
  ];
  for (const [value, isName] of values) {
    it(`is ${isName} for ${show(value)}`, () => assertEquals(isRouteName(value), isName));
  }
});

// ------------------------------------------------------------------------------------------ the builders

const HERE = { platform: "qq", user: "1" } as const;

describe("createMessage() with an account and a scope", () => {
  it("writes both for both versions of MaiBot", () => {
    const made = createMessage({ ...HERE, account: "777", scope: "s" }, seg.text("hi"));
    assertEquals([made.account_id, made.scope], ["777", "s"]);
    assertEquals(made.message_info.additional_config, WRITTEN.message_info.additional_config);
    assert(isMessageBase(made));
  });

  it("writes neither when none is given", () => {
    const made = createMessage(HERE, seg.text("hi"));
    assertEquals(["account_id" in made, "scope" in made, "additional_config" in made.message_info], [
      false,
      false,
      false,
    ]);
  });

  it("keeps the account that the free data names", () => {
    const made = createMessage({ ...HERE, account: "777", additional_config: { self_id: 9 } }, seg.text("hi"));
    assertEquals(["account_id" in made, made.message_info.additional_config], [false, { self_id: 9 }]);
  });

  it("leaves the free data given as it is", () => {
    const additional_config = { at_bot: true };
    createMessage({ ...HERE, account: "777", additional_config }, seg.text("hi"));
    assertEquals(additional_config, { at_bot: true });
  });

  for (const name of ["account", "scope"]) {
    for (const value of ["", " ", "\t\n", "\x1c", 777, true, {}]) {
      it(`throws a TypeError that names '${name}' when it is ${show(value)}`, () => {
        const create = () => createMessage({ ...HERE, [name]: wrong(value) }, seg.text("hi"));
        assertThrows(create, TypeError, `'${name}' must be a string that is not blank`);
      });
    }

    it(`takes '${name}' for none when it is null or undefined`, () => {
      for (const value of [null, undefined]) {
        assertEquals(createMessage({ ...HERE, [name]: wrong(value) }, seg.text("hi")).account_id, undefined);
      }
    });
  }
});

describe("createReply()", () => {
  it("speaks as the account that was spoken to, in its scope", () => {
    const reply = createReply(createMessage({ ...HERE, account: "777", scope: "s" }, seg.text("hi")), seg.text("ho"));
    assertEquals([reply.account_id, reply.scope], ["777", "s"]);
    assertEquals(reply.message_info.additional_config, WRITTEN.message_info.additional_config);
  });

  it("finds them where older adapters write them", () => {
    const asked = createMessage({ ...HERE, additional_config: { self_id: 777, connection_id: "c" } }, seg.text("hi"));
    const reply = createReply(asked, seg.text("ho"));
    assertEquals([reply.account_id, reply.scope], ["777", "c"]);
  });

  it("names none when none was named", () => {
    const reply = createReply(createMessage(HERE, seg.text("hi")), seg.text("ho"));
    assertEquals(["account_id" in reply, "additional_config" in reply.message_info], [false, false]);
  });
});

// ------------------------------------------------------------------------------------------ the wire

describe("account_id and scope on the wire", () => {
  for (const value of ["777", "", 5, true, null, [1], { a: 1 }]) {
    it(`may be ${show(value)}`, () => {
      const given = message({ account_id: value, scope: value });
      assert(isMessageBase(given));
      const text = encodeMessage(given);
      assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(given)));
      const read = decodeMessage(text) as MessageBase; // it is no custom one
      assertEquals([read.account_id, read.scope], [value, value]);
    });
  }

  it("stand in the text that is sent", () => {
    const text = encodeMessage(createMessage({ ...HERE, account: "777", scope: "s" }, seg.text("hi")));
    assertMatch(text, /"account_id":"777"/);
    assertMatch(text, /"scope":"s"/);
  });
});
