import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { type Confirms, type Fall, type Line, Outbox } from "../../client/outbox.ts";
import type { OutboxOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import type { Drop } from "../../session/drops.ts";
import { createMessage, MessageConnectionError, plainText, seg, type WireMessage } from "../../mod.ts";
import { Inbox } from "../support/peers/inbox.ts";

const FELL: Fall = { silentSince: Infinity, verdict: "in_doubt", mayResend: true };

/** A line whose buffer the test fills and drains. */
class FakeLine implements Line {
  bufferedAmount = 0;
  asked = 0;
  readonly sent: string[] = [];

  constructor(readonly confirms: Confirms = "nothing") {}

  send(text: string): void {
    this.sent.push(text);
  }

  ask(): boolean {
    this.asked++;
    return this.confirms !== "nothing";
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
  for (const name of names) box.accept(message(name), name);
}

/** Resolves when everything has left. */
function flushed(box: Outbox): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  box.whenFlushed(resolve);
  return promise;
}

describe("Outbox.accept()", () => {
  it("sends at once when the line is free", () => {
    const { box } = outbox();
    const line = new FakeLine();
    box.attach(line);
    put(box, "a", "b");
    assertEquals([line.sent, box.length], [["a", "b"], 0]);
    box.detach({ ...FELL, verdict: "delivered" });
  });

  it("keeps the order of what came before the line and what comes after", async () => {
    const { box } = outbox();
    put(box, "a", "b");
    const line = new FakeLine();
    box.attach(line);
    put(box, "c");
    await flushed(box);
    assertEquals(line.sent, ["a", "b", "c"]);
    box.detach({ ...FELL, verdict: "delivered" });
  });

  it("holds back above the mark and goes on when the buffer drains", async () => {
    const { box } = outbox();
    const line = new FakeLine();
    box.attach(line);
    line.bufferedAmount = 65_537;
    put(box, "a", "b");
    assertEquals([line.sent.length, box.length, box.bytes], [0, 2, 2]);
    line.bufferedAmount = 0;
    await flushed(box);
    assertEquals([line.sent, box.length, box.bytes], [["a", "b"], 0, 0]);
    box.detach({ ...FELL, verdict: "delivered" });
  });

  it("throws queue_full beyond maxMessages", () => {
    const { box } = outbox({ maxMessages: 2 });
    put(box, "a", "b");
    assertEquals(assertThrows(() => put(box, "c"), MessageConnectionError).code, "queue_full");
    box.clear("closed");
  });

  it("throws queue_full beyond maxBytes, counted in UTF-8", () => {
    const { box } = outbox({ maxBytes: 6 });
    put(box, "你");
    put(box, "abc");
    assertEquals(box.bytes, 6);
    assertEquals(assertThrows(() => put(box, "x"), MessageConnectionError).code, "queue_full");
    box.clear("closed");
  });

  it("keeps one message of any size when nothing else waits", () => {
    const { box } = outbox({ maxBytes: 3 });
    put(box, "much longer");
    assertThrows(() => put(box, "x"), MessageConnectionError);
    box.clear("closed");
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
    box.attach(new FakeLine());
    put(box, "a", "b");
    box.detach(FELL);
    assertEquals(drops, ["a unconfirmed", "b unconfirmed"]);
  });

  it("reports nothing that left this process before the doubt", async () => {
    const { box, drops } = outbox({ doubt: 0 });
    const line = new FakeLine();
    box.attach(line);
    put(box, "a");
    await flushed(box);
    line.bufferedAmount = 0;
    put(box, "b");
    box.detach(FELL);
    assert(!drops.includes("a unconfirmed"), String(drops));
  });

  it("reports what never left the runtime's buffer, however long ago it was sent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    const line = new FakeLine();
    box.attach(line);
    put(box, "a");
    line.bufferedAmount = 100;
    put(box, "b");
    box.detach(FELL);
    assert(drops.includes("b unconfirmed"), String(drops));
  });

  it("reports what was sent since the server fell silent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLine());
    const silentSince = performance.now();
    put(box, "a", "b");
    box.detach({ ...FELL, silentSince });
    assertEquals(drops, ["a unconfirmed", "b unconfirmed"]);
  });

  it("reports all that a server which confirms has not confirmed, and nothing else", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLine("handled"));
    put(box, "a");
    const asked = performance.now() + 1;
    while (performance.now() < asked);
    box.confirm(asked);
    put(box, "b");
    box.detach(FELL);
    assertEquals(drops, ["b unconfirmed"]);
  });

  it("reports what was read within the doubt when only reading is confirmed", () => {
    const { box, drops } = outbox({ doubt: 60_000 });
    box.attach(new FakeLine("read"));
    put(box, "a");
    box.confirm(performance.now() + 1);
    box.detach(FELL);
    assertEquals(drops, ["a unconfirmed"]);
  });

  it("reports what was not read, however long ago it was sent", () => {
    const { box, drops } = outbox({ doubt: 0 });
    box.attach(new FakeLine("read"));
    put(box, "a");
    const later = performance.now() + 5;
    while (performance.now() < later);
    box.detach(FELL);
    assertEquals(drops, ["a unconfirmed"]);
  });

  it("asks for a confirmation while there is something to confirm, and no longer", async () => {
    const { box } = outbox();
    const line = new FakeLine("handled");
    const asked = Promise.withResolvers<void>();
    line.ask = () => {
      line.asked++;
      box.confirm(performance.now() + 1);
      asked.resolve();
      return true;
    };
    box.attach(line);
    put(box, "a");
    await asked.promise;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(line.asked, 1);
    box.detach(FELL);
  });

  it("sends what is in doubt once more, first and in order, with inDoubt resend", async () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLine());
    put(box, "a", "b");
    box.detach(FELL);
    put(box, "c");
    const line = new FakeLine();
    box.attach(line);
    await flushed(box);
    assertEquals([line.sent, drops], [["a", "b", "c"], []]);
    box.detach(FELL);
    assertEquals([drops, box.length], [["a unconfirmed", "b unconfirmed"], 1]);
    box.clear("closed");
    assertEquals(drops[2], "c closed");
  });

  it("reports instead of sending again when no line is to come", () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLine());
    put(box, "a");
    box.detach({ ...FELL, mayResend: false });
    assertEquals([drops, box.length], [["a unconfirmed"], 0]);
  });

  it("blames the largest for too_large and never sends it again", async () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLine());
    put(box, "a", "the largest", "b");
    box.detach({ ...FELL, verdict: "too_large" });
    assertEquals(drops, ["the largest too_large"]);
    const line = new FakeLine();
    box.attach(line);
    await flushed(box);
    assertEquals(line.sent, ["a", "b"]);
    box.detach({ ...FELL, verdict: "delivered" });
  });

  it("calls everything in doubt unauthorized when the token was refused after all", () => {
    const { box, drops } = outbox({ doubt: 60_000, inDoubt: "resend" });
    box.attach(new FakeLine());
    put(box, "a");
    box.detach({ ...FELL, verdict: "unauthorized" });
    assertEquals(drops, ["a unauthorized"]);
  });

  it("reports nothing when everything was delivered", () => {
    const { box, drops } = outbox({ doubt: 60_000 });
    box.attach(new FakeLine());
    put(box, "a");
    box.detach({ ...FELL, verdict: "delivered" });
    assertEquals(drops, []);
  });
});

describe("Outbox.clear()", () => {
  it("drops what waits and lets a flush end", async () => {
    const { box, drops } = outbox();
    put(box, "a", "b");
    const done = flushed(box);
    box.clear("closed");
    await done;
    assertEquals([drops, box.length, box.bytes], [["a closed", "b closed"], 0, 0]);
  });
});

describe("Outbox memory", () => {
  it("remembers no more than ten times maxMessages beyond the doubt", () => {
    const { box, drops } = outbox({ doubt: 0, maxMessages: 10 });
    const line = new FakeLine();
    box.attach(line);
    const silentSince = performance.now();
    for (let index = 0; index < 100_000; index++) put(box, "m");
    box.detach({ ...FELL, silentSince });
    assertGreater(drops.length, 0);
    assertGreater(2000, drops.length);
    assertEquals(line.sent.length, 100_000);
  });
});
