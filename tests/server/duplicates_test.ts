import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient } from "../../client.ts";
import { plainText } from "../../schema.ts";
import { MessageServer } from "../../server.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { closeOf, dial, nextText, REPLACED } from "../support/server.ts";

describe("MessageServer when a platform connects again", () => {
  it("closes the older with 1000 and its reason, and sends to the newer", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await using newer = await dial(url, "qq");
    assertEquals(await closeOf(older), [1000, REPLACED]);
    const [gone, end] = await events.next("close");
    assertEquals([gone.id, end], [1, { code: 1000, reason: REPLACED }]);
    server.send(textMessage("hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals(server.peers.map(({ id }) => id), [2]);
  });

  it("sends to the newer at once though the older never answers its close", async () => {
    await using server = new MessageServer({ closeTimeout: 100 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await events.next("open");
    await using newer = await dial(url, "qq");
    await events.next("open");
    server.send(textMessage("hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals((await older.frame())?.code, 1000);
  });

  it("keeps the name with the newest of many", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    await using third = await dial(url, "qq");
    assertEquals(await closeOf(first), [1000, REPLACED]);
    assertEquals(await closeOf(second), [1000, REPLACED]);
    server.send(textMessage("hello"));
    assertEquals(await nextText(third), "hello");
  });

  it("delivers what the older sent before the newer came", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    for (let index = 0; index < 100; index++) older.text(wireText(`${index}`));
    await older.flushed();
    await using _newer = await dial(url, "qq");
    const got: string[] = [];
    for (let index = 0; index < 100; index++) got.push(plainText((await events.next("message"))[0]));
    assertEquals(got, got.map((_, index) => `${index}`));
    assertEquals(await closeOf(older), [1000, REPLACED]);
  });

  it("delivers what the older sends before it reads the close, and lets it take no name back", async () => {
    const stillSending: (() => Promise<void>)[] = [];
    await using server = new MessageServer({
      authorize: async () => {
        for (const send of stillSending) await send();
        return true;
      },
    });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    stillSending.push(async () => {
      older.text(wireText("first"));
      await events.next("message");
    });
    // When the newer is told of, the older is closed and has not read so: it sends within the same turn.
    await events.next("open");
    server.on("open", () => older.text(wireText("late")));
    await using newer = await dial(url, "qq");
    const [late, from] = await events.next("message");
    assertEquals([plainText(late), from.id], ["late", 1]);
    server.send(textMessage("hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals(await closeOf(older), [1000, REPLACED]);
  });

  it("lets an older that goes on sending take no name back", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await using newer = await dial(url, "qq");
    const frame = await older.frame({ opcode: 8 });
    assertEquals(frame?.code, 1000);
    older.text(wireText("after the close frame"));
    newer.text(wireText("mine"));
    // Whether that late frame is heard is the runtime's choice; whose the name is, is not.
    while (plainText((await events.next("message"))[0]) !== "mine");
    server.send(textMessage("hello"));
    assertEquals(await nextText(newer), "hello");
  });

  it("tells a MessageClient 'replaced'", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    await using older = new MessageClient(url, { platform: "qq" });
    const closed = Promise.withResolvers<string | undefined>();
    older.on("status", (status) => {
      if (status.state === "closed") closed.resolve(status.reason?.code);
    });
    await older.connect();
    await using _newer = await dial(url, "qq");
    assertEquals(await withTimeout(closed.promise, 5000, () => "the older to be told"), "replaced");
  });

  it("refuses the newcomer with 4409 when 'duplicates' is \"reject\"", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    second.text(wireText("never read"));
    assertEquals(await closeOf(second), [4409, "platform already connected"]);
    server.send(textMessage("hello"));
    assertEquals(await nextText(first), "hello");
    first.text(wireText("mine"));
    assertEquals(plainText((await events.next("message"))[0]), "mine");
    assertEquals(events.names, ["open", "message"]);
  });

  it("lets a newcomer in once the first has left when 'duplicates' is \"reject\"", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    first.destroy();
    await events.next("close");
    await using second = await dial(url, "qq");
    server.send(textMessage("hello"));
    assertEquals(await nextText(second), "hello");
  });

  it("sends to all when 'duplicates' is \"share\", until one leaves", async () => {
    await using server = new MessageServer({ duplicates: "share" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    await events.next("open");
    await events.next("open");
    server.send(textMessage("to both"));
    assertEquals(await nextText(first), "to both");
    assertEquals(await nextText(second), "to both");
    assertEquals(server.stats().sent, 2);
    first.destroy();
    await events.next("close");
    server.send(textMessage("to one"));
    assertEquals(await nextText(second), "to one");
  });
});
