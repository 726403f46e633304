import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, type MessageClientOptions } from "../client.ts";
import { maibotIssues } from "../maibot/mod.ts";
import { type MessageBase, MessageServer, Router } from "../mod.ts";
import { createCustom, createMessage, createReply, seg } from "../schema.ts";
import { heard, heardCustom } from "./peers/listen.ts";
import { show, wrong } from "./samples.ts";

const MESSAGE = createMessage({ platform: "qq", user: "1" }, seg.text("hi"));

/** The account of a message, wherever it stands. */
function accountsOf({ account_id, scope, message_info }: MessageBase): unknown[] {
  const config = message_info.additional_config as Record<string, unknown> | undefined; // an object, if there is one
  return [account_id, scope, config?.platform_io_account_id, config?.platform_io_scope];
}

const BOTH = ["777", "s", "777", "s"];
const NONE = [undefined, undefined, undefined, undefined];

/** A client of account 777 and scope s, and the server that hears it. */
async function connected(options: Partial<MessageClientOptions> = {}) {
  const server = new MessageServer();
  const messages = heard(server, "message");
  const client = new MessageClient(server.listen({ port: 0 }), {
    platform: "qq",
    account: "777",
    scope: "s",
    ...options,
  });
  await client.connect();
  return {
    ...{ server, client },
    arrived: async () => (await messages.next())[0],
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}

describe("MessageClient with an account and a scope", () => {
  it("writes them into what send() is given, and not into the caller's object", async () => {
    await using ends = await connected();
    const before = JSON.stringify(MESSAGE);
    ends.client.send(MESSAGE);
    assertEquals(accountsOf(await ends.arrived()), BOTH);
    assertEquals(JSON.stringify(MESSAGE), before);
  });

  it("writes them into what sendText() sends, and gives it as it was sent", async () => {
    await using ends = await connected();
    const sent = ends.client.sendText("hi", { user: "1", group: "9" });
    assertEquals(accountsOf(sent), BOTH);
    assertEquals(await ends.arrived(), sent);
  });

  it("lets sendText() name others", async () => {
    await using ends = await connected();
    ends.client.sendText("hi", { user: "1", account: "778" });
    assertEquals(accountsOf(await ends.arrived()), ["778", "s", "778", "s"]);
    ends.client.sendText("hi", { user: "1", account: "778", scope: "t" });
    assertEquals(accountsOf(await ends.arrived()), ["778", "t", "778", "t"]);
  });

  for (const chunks of [true, false]) {
    it(`writes them into what sendStream() sends ${chunks ? "in chunks" : "in one frame"}`, async () => {
      await using ends = await connected(chunks ? {} : { chunks: false });
      const video = new Blob(["abc"]).stream();
      const message = createMessage({ platform: "qq", user: "1" }, seg.of("video", video));
      await ends.client.sendStream(message);
      const arrived = await ends.arrived();
      assertEquals(accountsOf(arrived), BOTH);
      assertEquals(arrived.message_segment, seg.list(seg.of("video", "YWJj")));
      assertEquals(accountsOf(message), NONE);
    });
  }

  it("tells them in the envelope of a stream, before its segments", async () => {
    await using ends = await connected();
    const accounts: unknown[] = [];
    ends.server.on("stream", async (envelope, segments) => {
      accounts.push(accountsOf({ ...envelope, message_segment: seg.text("") }));
      for await (const { data } of segments) await new Response(data as BodyInit).text();
    });
    await ends.client.sendStream(createMessage({ platform: "qq", user: "1" }, seg.of("video", new Blob(["abc"]))));
    assertEquals(accounts, [BOTH]);
  });

  it("never overwrites what the message names", async () => {
    await using ends = await connected();
    const named = createMessage({ platform: "qq", user: "1", account: "1", scope: "2" }, seg.text("hi"));
    ends.client.send(named);
    assertEquals(await ends.arrived(), named);
    const old = createMessage({ platform: "qq", user: "1", additional_config: { self_id: 5 } }, seg.text("hi"));
    ends.client.send(old);
    assertEquals((await ends.arrived()).account_id, undefined);
  });

  it("leaves custom messages alone", async () => {
    await using ends = await connected();
    const customs = heardCustom(ends.server, "poke");
    const poke = createCustom("poke", { a: 1 }, "qq");
    ends.client.send(poke);
    assertEquals((await customs.next())[0], poke);
  });

  it("hands validate the message as it is sent", async () => {
    const seen: unknown[] = [];
    await using ends = await connected({
      validate: (message) => {
        seen.push(message);
        return maibotIssues(message);
      },
    });
    const warnings = heard(ends.client, "warning");
    ends.client.send(MESSAGE);
    assertEquals(await ends.arrived(), seen[0]);
    // Without an account there would be a warning about this one: it is not the first to be told.
    ends.client.send({ ...MESSAGE, message_segment: seg.list() });
    const [message, issues] = await warnings.next();
    assertEquals([accountsOf(message as MessageBase), issues.map(({ rule }) => rule)], [BOTH, ["list_empty"]]);
  });

  it("tells the message as it was to be sent when it drops one", async () => {
    await using server = new MessageServer();
    const client = new MessageClient(server.listen({ port: 0 }), {
      platform: "qq",
      account: "777",
      scope: "s",
      reconnect: { minDelay: 60_000 },
    });
    const drops = heard(client, "drop");
    const states = heard(client, "status");
    await client.connect();
    await server.close();
    await states.next(({ state }) => state === "waiting");
    client.send(MESSAGE);
    await client.close();
    const [{ message, reason }] = await drops.next();
    assertEquals([accountsOf(message as MessageBase), reason], [BOTH, "closed"]);
  });

  it("sends an answer made by createReply as the account that was spoken to", async () => {
    await using ends = await connected();
    const asked = createMessage({ platform: "qq", user: "1", account: "778" }, seg.text("hi"));
    ends.client.send(createReply(asked, seg.text("ho")));
    assertEquals(accountsOf(await ends.arrived()), ["778", "s", "778", "s"]);
  });

  it("writes nothing when it has none", async () => {
    await using server = new MessageServer();
    const messages = heard(server, "message");
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    client.send(MESSAGE);
    assertEquals((await messages.next())[0], MESSAGE);
  });
});

describe("new MessageClient() and Router.add()", () => {
  for (const name of ["account", "scope"]) {
    for (const value of ["", " ", "\t", 777, null, {}, "\ud800", "a\udc00b"]) {
      it(`throw a TypeError that names '${name}' when it is ${show(value)}`, () => {
        const options = { [name]: wrong(value) };
        const text = `Cannot create MessageClient as '${name}' must be a string that is not blank`;
        assertThrows(() => new MessageClient("ws://127.0.0.1:1", { platform: "qq", ...options }), TypeError, text);
        const router = new Router();
        assertThrows(() => router.add("qq", "ws://127.0.0.1:1", options), TypeError, text);
        assertEquals(router.clients.size, 0);
      });
    }

    it(`say how to write '${name}' when it is a number`, () => {
      const make = () => new MessageClient("ws://127.0.0.1:1", { platform: "qq", [name]: wrong(777) });
      assertThrows(make, TypeError, 'received the number 777; write "777"');
    });

    it(`take '${name}' for none when it is undefined`, () => {
      const options = { platform: "qq", [name]: wrong(undefined) };
      assertEquals(new MessageClient("ws://127.0.0.1:1", options).platform, "qq");
    });
  }
});

describe("Router with accounts", () => {
  it("writes each platform's own", async () => {
    await using server = new MessageServer();
    const messages = heard(server, "message");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    router.add("qq", url, { account: "777" });
    router.add("tp", url, { account: "888", scope: "s" });
    await router.connect();
    router.send(MESSAGE);
    assertEquals(accountsOf((await messages.next())[0]), ["777", undefined, "777", undefined]);
    router.send(createMessage({ platform: "tp", user: "1" }, seg.text("hi")));
    assertEquals(accountsOf((await messages.next())[0]), ["888", "s", "888", "s"]);
  });

  it("makes a new client where update() names another account, and keeps it where it is the same", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    const messages = heard(server, "message");
    await using router = new Router();
    await router.update({ qq: { url, account: "777" } });
    const first = router.clients.get("qq");
    await router.update({ qq: { url, account: "777" } });
    assertEquals(router.clients.get("qq") === first, true);
    await router.update({ qq: { url, account: "778" } });
    assertEquals(router.clients.get("qq") === first, false);
    await router.connect();
    router.send(MESSAGE);
    assertEquals(accountsOf((await messages.next())[0]), ["778", undefined, "778", undefined]);
  });
});
