import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { type LinkOutcome, Outbox, type OutboxLink, type PongProof } from "../../client/outbox.ts";
import type { OutboxOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import type { Drop } from "../../session/drops.ts";
import { createMessage, MessageConnectionError, plainText, seg, type WireMessage } from "../../mod.ts";
import { Inbox } from "../support/peers/inbox.ts";

const LOST: LinkOutcome = { silentSince: Infinity, sentMessages: "in_doubt", canResend: true };

/** A link whose buffer the test fills and drains. */
class FakeLink implements OutboxLink {
  bufferedAmount = 0;
  pings = 0;
  readonly sent: string[] = [];

  constructor(readonly pongProof: PongProof = "nothing") {}

  send(_message: WireMessage, text: string): void {
    this.sent.push(text);
  }

  ping(): boolean {
    this.pings++;
    return this.pongProof !== "nothing";
  }
}

/** An outbox, and what it dropped. */
function outbox(options: OutboxOptions = {}): { box: Outbox; drops: string[]; dropped: Inbox<Drop> } {
  const drops: string[] = [];
  const dropped = new Inbox<Drop>();
  const box = new Outbox(resolveOptions({ platform: "qq", outbox: options }).outbox, (drop) => {
    drops.push(`${nameOf(drop.message)} ${drop.reason}`);
    dropped.push(drop);
  });
  return { box, drops, dropped };
}

function message(name: string): WireMessage {
  return createMessage({ platform: "qq", user: "10001", message_id: name }, seg.text(name));
}

function nameOf(message: WireMessage): string {
  return "message_info" in message ? plainText(message) : message.message_type_name;
}

function put(box: Outbox, ...names: string[]): void {
  for (const name of names) box.send(message(name), name);
}

/** Resolves when everything has left. */
function flushed(box: Outbox): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  box.whenFlushed(resolve);
  return promise;
}

describe("Outbox.send()", () => {
  it("sends at once when the line is free", () => {
    const { box } = outbox();
    const link = new FakeLink();
    box.attach(link);
    put(box, "a", "b");
    assertEquals([link.sent, box.length], [["a", "b"], 0]);
    box.detach({ ...LOST, sentMessages: "delivered" });
  });

  it("keeps the order of what came before the line and what comes after", async () => {
    const { box } = outbox();
    put(box, "a", "b");
    const link = new FakeLink();
    box.attach(link);
    put(box, "c");
    await flushed(box);
    assertEquals(link.sent, ["a", "b", "c"]);
    box.detach({ ...LOST, sentMessages: "delivered" });
  });

  it("holds back above the mark and goes on when the buffer drains", async () => {
    const { box } = outbox();
    const link = new FakeLink();
    box.attach(link);
    link.bufferedAmount = 65_537;
    put(box, "a", "b");
    assertEquals([link.sent.length, box.length, box.bytes], [0, 2, 2]);
    link.bufferedAmount = 0;
    await flushed(box);
    assertEquals([link.sent, box.length, box.bytes], [["a", "b"], 0, 0]);
    box.detach({ ...LOST, sentMessages: "delivered" });
  });

  it("throws queue_full beyond maxMessages", () => {
    const { box } = outbox({ maxMessages: 2 });
    put(box, "a", "b");
    assertEquals(assertThrows(() => put(box, "c"), MessageConnectionError).code, "queue_full");
    box.dropWaiting("closed");
  });

  it("throws queue_full beyond maxBytes, counted in UTF-8", () => {
    const { box } = outbox({ maxBytes: 6 });
    put(box, "你");
    put(box, "abc");
    assertEquals(box.bytes, 6);
    assertEquals(assertThrows(() => put(box, "x"), MessageConnectionError).code, "queue_full");
    box.dropWaiting("closed");
  });

  it("keeps one message of any size when nothing else waits", () => {
    const { box } = outbox({ maxBytes: 3 });
    put(box, "much longer");
    assertThrows(() => put(box, "x"), MessageConnectionError);
    box.dropWaiting("closed");
  });

  it("keeps nothing with maxMessages 0", () => {
    const { box } = outbox({ maxMessages: 0 });
    assertThrows(() => put(box, "a"), MessageConnectionError);
  });
});

describe("Outbox expiry", () => {
  it("drops what has waited longer than maxAge as expired, oldest first", async () => {
    const { box, drops, dropped } = outbox({ maxAge: 20 });
    put(box, "a", "b");
    for (const name of ["a", "b"]) {
      await dropped.take(({ message }) => nameOf(message) === name, () => `the drop of ${name}`);
    }
    assertEquals([drops, box.length, box.bytes], [["a expired", "b expired"], 0, 0]);
  });

  it("lets a flush end when the last message expires", async () => {
    const { box } = outbox({ maxAge: 10 });
    put(box, "a");
    await flushed(box);
    assertEquals(box.length, 0);
  });
});

describe("Outbox.detach()", () => {
  it("reports what was sent within the doubt", () => {
    const { box, drops } = outbox({ doubt: 60_000 });
    box.attach(new FakeLink());
    put(box, "a", "b");
    box.detach(LOST);
    assertEquals(drops, ["a unconfirmed", "b unconfirmed"]);
  });

  it("reports nothing that left this process before the doubt", async () => {
    const { box, drops } = outbox({ doubt: 0 });
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    await flushed(box);
    link.bufferedAmount = 0;
    put(box, "b");
    box.detach(LOST);
    assert(!drops.includes("a unconfirmed"), String(drops));
  });

  it("reports what never left the runtime's buffer, however long ago it was sent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    link.bufferedAmount = 100;
    put(box, "b");
    box.detach(LOST);
    assert(drops.includes("b unconfirmed"), String(drops));
  });

  it("reports what was sent since the server fell silent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLink());
    const silentSince = performance.now();
    put(box, "a", "b");
    box.detach({ ...LOST, silentSince });
    assertEquals(drops, ["a unconfirmed", "b unconfirmed"]);
  });

  it("reports all that a server which confirms has not confirmed, and nothing else", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLink("handled"));
    put(box, "a");
    const asked = performance.now() + 1;
    while (performance.now() < asked);
    box.confirm(asked);
    put(box, "b");
    box.detach(LOST);
    assertEquals(drops, ["b unconfirmed"]);
  });

  it("reports what was read within the doubt when only reading is confirmed", () => {
    const { box, drops } = outbox({ doubt: 60_000 });
    box.attach(new FakeLink("read"));
    put(box, "a");
    box.confirm(performance.now() + 1);
    box.detach(LOST);
    assertEquals(drops, ["a unconfirmed"]);
  });

  it("reports what was not read, however long ago it was sent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLink("read"));
    put(box, "a");
    const later = performance.now() + 5;
    while (performance.now() < later);
    box.detach(LOST);
    assertEquals(drops, ["a unconfirmed"]);
  });

  it("asks for a confirmation while there is something to confirm, and no longer", async () => {
    const { box } = outbox();
    const link = new FakeLink("handled");
    const asked = Promise.withResolvers<void>();
    link.ping = () => {
      link.pings++;
      box.confirm(performance.now() + 1);
      asked.resolve();
      return true;
    };
    box.attach(link);
    put(box, "a");
    await asked.promise;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(link.pings, 1);
    box.detach(LOST);
  });

  it("sends what is in doubt once more, first and in order, with inDoubt resend", async () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLink());
    put(box, "a", "b");
    box.detach(LOST);
    put(box, "c");
    const link = new FakeLink();
    box.attach(link);
    await flushed(box);
    assertEquals([link.sent, drops], [["a", "b", "c"], []]);
    box.detach(LOST);
    assertEquals([drops, box.length], [["a unconfirmed", "b unconfirmed"], 1]);
    box.dropWaiting("closed");
    assertEquals(drops[2], "c closed");
  });

  it("reports instead of sending again when no line is to come", () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLink());
    put(box, "a");
    box.detach({ ...LOST, canResend: false });
    assertEquals([drops, box.length], [["a unconfirmed"], 0]);
  });

  it("blames the largest for too_large and never sends it again", async () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLink());
    put(box, "a", "the largest", "b");
    box.detach({ ...LOST, sentMessages: "too_large" });
    assertEquals(drops, ["the largest too_large"]);
    const link = new FakeLink();
    box.attach(link);
    await flushed(box);
    assertEquals(link.sent, ["a", "b"]);
    box.detach({ ...LOST, sentMessages: "delivered" });
  });

  it("calls everything in doubt unauthorized when the token was refused after all", () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLink());
    put(box, "a");
    box.detach({ ...LOST, sentMessages: "unauthorized" });
    assertEquals(drops, ["a unauthorized"]);
  });

  it("reports nothing when everything was delivered", () => {
    const { box, drops } = outbox({ doubt: 60_000 });
    box.attach(new FakeLink());
    put(box, "a");
    box.detach({ ...LOST, sentMessages: "delivered" });
    assertEquals(drops, []);
  });
});

describe("Outbox.dropWaiting()", () => {
  it("drops what waits and lets a flush end", async () => {
    const { box, drops } = outbox();
    put(box, "a", "b");
    const done = flushed(box);
    box.dropWaiting("closed");
    await done;
    assertEquals([drops, box.length, box.bytes], [["a closed", "b closed"], 0, 0]);
  });
});

describe("Outbox memory", () => {
  it("remembers no more than ten times maxMessages beyond the doubt", () => {
    const { box, drops } = outbox({ doubt: 0, maxMessages: 10 });
    const link = new FakeLink();
    box.attach(link);
    const silentSince = performance.now();
    for (let index = 0; index < 100_000; index++) put(box, "m");
    box.detach({ ...LOST, silentSince });
    assertGreater(drops.length, 0);
    assertGreater(2000, drops.length);
    assertEquals(link.sent.length, 100_000);
  });
});
