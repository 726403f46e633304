import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Outbox, type OutboxItem, type OutboxLink, type SettleOptions } from "../../client/outbox.ts";
import type { OutboxOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import type { Drop } from "../../session/drops.ts";
import { createMessage, MessageConnectionError, plainText, seg, type WireMessage } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Inbox } from "../support/peers/inbox.ts";

const LOST: SettleOptions = { sentMessages: "in_doubt", canResend: true };

/** A link whose buffer and window the test fills and empties. */
class FakeLink implements OutboxLink {
  bufferedAmount = 0;
  hasRoom = true;
  readonly sent: string[] = [];
  readonly items: OutboxItem[] = [];

  send(item: OutboxItem, text: string): void {
    this.sent.push(text);
    this.items.push(item);
  }
}

/** The link has ended: what was sent over it is in doubt. */
function lose(box: Outbox, { items }: FakeLink, options: Partial<SettleOptions> = {}): void {
  box.stopSending();
  box.settle(items, { ...LOST, ...options });
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
    box.stopSending();
  });

  it("keeps the order of what came before the line and what comes after", async () => {
    const { box } = outbox();
    put(box, "a", "b");
    const link = new FakeLink();
    box.attach(link);
    put(box, "c");
    await flushed(box);
    assertEquals(link.sent, ["a", "b", "c"]);
    box.stopSending();
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
    box.stopSending();
  });

  it("looks at a buffer that fills up while nothing waits until it has room", () => {
    using clock = new FakeClock();
    const { box } = outbox();
    const link = new FakeLink();
    box.attach(link);
    link.bufferedAmount = 65_537;
    put(box, "a");
    link.bufferedAmount = 65_536;
    clock.advance(1);
    assertEquals([link.sent, box.length], [["a"], 0]);
    box.stopSending();
    assertEquals(clock.timers, 0);
  });

  it("throws queue_full beyond maxMessages", () => {
    const { box } = outbox({ maxMessages: 2 });
    put(box, "a", "b");
    assertEquals(assertThrows(() => put(box, "c"), MessageConnectionError).code, "queue_full");
    box.dropWaiting("closed");
  });

  it("throws queue_full when maxBytes wait, counted in UTF-8", () => {
    const { box } = outbox({ maxBytes: 6 });
    put(box, "你");
    put(box, "abc");
    assertEquals(box.bytes, 6);
    assertEquals(assertThrows(() => put(box, "x"), MessageConnectionError).code, "queue_full");
    box.dropWaiting("closed");
  });

  it("takes a message of any size as long as less than maxBytes wait", () => {
    const { box } = outbox({ maxBytes: 3 });
    put(box, "a", "much longer");
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

  it("drops a message when it has waited exactly maxAge, and no sooner", () => {
    using clock = new FakeClock();
    const { box, drops } = outbox({ maxAge: 20 });
    put(box, "a");
    clock.advance(5);
    put(box, "b");
    clock.advance(14);
    assertEquals(drops, []);
    clock.advance(1);
    assertEquals(drops, ["a expired"]);
    clock.advance(5);
    assertEquals([drops, clock.timers], [["a expired", "b expired"], 0]);
  });

  it("lets a flush end when the last message expires", async () => {
    const { box } = outbox({ maxAge: 10 });
    put(box, "a");
    await flushed(box);
    assertEquals(box.length, 0);
  });
});

describe("Outbox window", () => {
  it("keeps messages while too many are not confirmed, and sends them when there is room again", () => {
    const { box } = outbox();
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    link.hasRoom = false;
    put(box, "b", "c");
    assertEquals([link.sent, box.length], [["a"], 2]);
    link.hasRoom = true;
    box.roomAgain();
    assertEquals([link.sent, box.length], [["a", "b", "c"], 0]);
    box.stopSending();
  });
});

describe("Outbox.settle()", () => {
  it("reports what is in doubt", () => {
    const { box, drops } = outbox();
    const link = new FakeLink();
    box.attach(link);
    put(box, "a", "b");
    lose(box, link);
    assertEquals(drops, ["a unconfirmed", "b unconfirmed"]);
  });

  it("sends what is in doubt once more, first and in order, with inDoubt resend", async () => {
    const { box, drops } = outbox({ inDoubt: "resend" });
    const first = new FakeLink();
    box.attach(first);
    put(box, "a", "b");
    lose(box, first);
    assertEquals([box.length, box.bytes], [2, 2]);
    put(box, "c");
    const link = new FakeLink();
    box.attach(link);
    await flushed(box);
    assertEquals([link.sent, drops, box.bytes], [["a", "b", "c"], [], 0]);
    lose(box, link);
    assertEquals([drops, box.length], [["a unconfirmed", "b unconfirmed"], 1]);
    box.dropWaiting("closed");
    assertEquals(drops[2], "c unconfirmed");
  });

  it("reports instead of sending again when no link is to come", () => {
    const { box, drops } = outbox({ inDoubt: "resend" });
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    lose(box, link, { canResend: false });
    assertEquals([drops, box.length], [["a unconfirmed"], 0]);
  });

  it("never says of a message that was sent before that it has not arrived", async () => {
    const { box, drops, dropped } = outbox({ inDoubt: "resend", maxAge: 20 });
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    lose(box, link);
    put(box, "b");
    await dropped.take(({ message }) => nameOf(message) === "b", () => "the drop of b");
    assertEquals(drops, ["a unconfirmed", "b expired"]);
  });

  it("blames the largest for too_large and never sends it again", async () => {
    const { box, drops } = outbox({ inDoubt: "resend" });
    const first = new FakeLink();
    box.attach(first);
    put(box, "a", "the largest", "b");
    lose(box, first, { sentMessages: "too_large" });
    assertEquals(drops, ["the largest too_large"]);
    const link = new FakeLink();
    box.attach(link);
    await flushed(box);
    assertEquals(link.sent, ["a", "b"]);
    box.stopSending();
  });

  it("blames the one with the most bytes for too_large, not the one with the most characters", () => {
    const { box, drops } = outbox({ inDoubt: "resend" });
    const link = new FakeLink();
    box.attach(link);
    put(box, "abcd", "你你你", "efghi");
    lose(box, link, { sentMessages: "too_large" });
    assertEquals(drops, ["你你你 too_large"]);
    box.dropWaiting("closed");
  });

  it("calls everything in doubt unauthorized when the token was refused after all", () => {
    const { box, drops } = outbox({ inDoubt: "resend" });
    const link = new FakeLink();
    box.attach(link);
    put(box, "a");
    lose(box, link, { sentMessages: "unauthorized" });
    assertEquals(drops, ["a unauthorized"]);
  });
});

describe("Outbox.settle() of a message that was sent twice", () => {
  for (const sentMessages of ["unauthorized", "too_large"] as const) {
    it(`does not say that it has not arrived, when the second link ends as ${sentMessages}`, () => {
      const { box, drops } = outbox({ inDoubt: "resend" });
      const first = new FakeLink();
      box.attach(first);
      put(box, "a");
      lose(box, first);
      const second = new FakeLink();
      box.attach(second);
      lose(box, second, { sentMessages });
      assertEquals(drops, ["a unconfirmed"]);
    });
  }
});

describe("Outbox.whenFlushed()", () => {
  it("calls back in the order of the calls, each once", () => {
    const { box } = outbox();
    const called: string[] = [];
    put(box, "a");
    for (const name of ["first", "second", "third"]) box.whenFlushed(() => void called.push(name));
    const remove = box.whenFlushed(() => void called.push("removed"));
    remove();
    assertEquals(called, []);
    box.dropWaiting("closed");
    box.dropWaiting("closed");
    assertEquals(called, ["first", "second", "third"]);
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
