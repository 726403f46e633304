import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { runtime } from "../../runtime/mod.ts";
import { createMessage, plainText, seg } from "../../mod.ts";
import { Confirmation, type ConfirmationLimits, type Proof, type SentMessage } from "../../session/confirmation.ts";
import type { MessageBase } from "../../schema/types.ts";

/** The other side of a connection, as a confirmation sees it. */
class FakeHost {
  bufferedAmount = 0;
  heardAt = -Infinity;
  received = 0;
  pings: { number: number; isLast: boolean }[] = [];
  confirmations = 0;
  canFindOut = true;
  questions = 0;
  deaths = 0;

  constructor(public proof: Proof) {}

  findOut(): void {
    this.questions++;
  }

  sendPing(number: number, isLast: boolean): boolean {
    if (this.proof === "nothing") return false;
    this.pings.push({ number, isLast });
    return true;
  }

  confirmed(): void {
    this.confirmations++;
  }

  unanswered(): void {
    this.deaths++;
  }
}

/** A confirmation on a clock of its own: `at` of each message is given by the test. */
function confirmation(proof: Proof, limits: Partial<ConfirmationLimits> = {}) {
  const host = new FakeHost(proof);
  const box = new Confirmation<SentMessage>(
    { maxMessages: 100, maxBytes: 1000, timeout: 1000, doubt: 1000, maxForeign: Infinity, ...limits },
    host,
  );
  const send = (name: string, sentAt = 0): SentMessage => {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text(name));
    return { message, bytes: name.length, sentAt };
  };
  return {
    host,
    box,
    send: (name: string, sentAt = 0) => box.add(send(name, sentAt)),
    sendWhole: (id: number, name: string, sentAt = 0) => box.addWhole(id, send(name, sentAt)),
    inDoubt: (at: number, silentSince = Infinity) => {
      return box.takeInDoubt(at, silentSince).map(({ message }) => plainText(message as MessageBase));
    },
  };
}

describe("Confirmation of a peer that answers pings", () => {
  it("keeps a message in doubt until a ping that was sent after it is answered", () => {
    const { host, box, send, inDoubt } = confirmation("handled");
    send("a");
    box.round(0);
    send("b");
    assertEquals([host.pings.length, box.isConfirmed], [1, false]);
    assert(box.answer(1));
    assertEquals(inDoubt(1e9), ["b"]);
  });

  it("ignores the answer to a ping that was not sent, or was answered before", () => {
    const { box, send, inDoubt } = confirmation("handled");
    send("a");
    assertEquals([box.answer(1), box.answer(0)], [false, false]);
    box.round(0);
    assertEquals([box.answer(1), box.answer(1)], [true, false]);
    assertEquals(inDoubt(0), []);
  });

  it("has one ping under way at a time, and none when everything is confirmed", () => {
    const { host, box, send } = confirmation("handled");
    send("a");
    assertEquals([box.round(0), box.round(0), host.pings.length], [true, true, 1]);
    box.answer(1);
    assertEquals([box.round(0), host.pings.length], [false, 1]);
  });

  it("asks at once when a quarter of the window is used", () => {
    const { host, send } = confirmation("handled", { maxMessages: 8 });
    send("a");
    assertEquals(host.pings.length, 0);
    send("b");
    assertEquals(host.pings.length, 1);
  });

  it("has no room when the window is full, by number or by bytes, until there is an answer", () => {
    for (const limits of [{ maxMessages: 4 }, { maxBytes: 4 }]) {
      const { host, box, send } = confirmation("handled", limits);
      for (const name of ["a", "b", "c"]) send(name);
      assert(box.hasRoom);
      send("d");
      assert(!box.hasRoom);
      for (let { length } = host.pings; !box.hasRoom; length = host.pings.length) box.answer(length);
      assertEquals(host.confirmations > 0, true);
    }
  });

  it("takes one message that is larger than the window", () => {
    const { box, send } = confirmation("handled", { maxBytes: 4 });
    send("abc");
    assert(box.hasRoom);
    send("much longer");
    assert(!box.hasRoom);
  });

  it("counts a message in chunks until its transfer has ended, whatever is answered meanwhile", () => {
    const { host, box, send, sendWhole, inDoubt } = confirmation("handled", { maxBytes: 4 });
    sendWhole(7, "large", 1);
    send("a", 2);
    box.round(0);
    box.answer(host.pings.length);
    assertEquals([box.isConfirmed, box.hasRoom], [false, false]);
    assertEquals(inDoubt(3), ["large"]);
    sendWhole(8, "large", 4);
    assertEquals([box.takeWhole(8)?.bytes, box.takeWhole(8), box.isConfirmed], [5, undefined, true]);
  });

  it("names what is in doubt in the order in which it was sent", () => {
    const { send, sendWhole, inDoubt } = confirmation("handled");
    send("a", 1);
    sendWhole(1, "b", 2);
    send("c", 3);
    assertEquals([inDoubt(4), inDoubt(4)], [["a", "b", "c"], []]);
  });

  it("gives a peer up that talks but never answers", () => {
    const { host, box, send } = confirmation("handled", { timeout: 1000 });
    send("a");
    const start = runtime.now();
    box.round(start);
    box.round(start + 900);
    assertEquals(host.deaths, 0);
    box.round(start + 1200);
    assertEquals(host.deaths, 1);
  });

  it("allows for the time that the bytes before the ping take on a slow line", () => {
    const { host, box } = confirmation("handled", { timeout: 1000, maxBytes: 1e9 });
    const message = createMessage({ platform: "qq", user: "1" }, seg.text("x"));
    box.add({ message, bytes: 10 * 131_072, sentAt: 0 });
    const start = runtime.now();
    box.round(start);
    box.round(start + 10_900);
    assertEquals(host.deaths, 0);
    box.round(start + 11_200);
    assertEquals(host.deaths, 1);
  });

  it("allows for what arrives meanwhile, because the pong may be queued behind it", () => {
    const { host, box, send } = confirmation("handled", { timeout: 1000 });
    host.received = 1e9;
    send("a");
    const start = runtime.now();
    box.round(start);
    host.received += 10 * 131_072;
    box.round(start + 10_900);
    assertEquals(host.deaths, 0);
    box.round(start + 11_200);
    assertEquals(host.deaths, 1);
  });

  it("says in its last ping that it is the last, even if another one is under way", () => {
    const { host, box, send } = confirmation("handled");
    send("a");
    box.round(0);
    assertEquals([box.ask({ isLast: false }), box.ask({ isLast: true })], [true, true]);
    assertEquals(host.pings, [{ number: 1, isLast: false }, { number: 2, isLast: true }]);
    assertEquals([box.answer(1), box.isAnswered, box.answer(2), box.isAnswered], [false, false, true, true]);
  });

  it("asks again at once when much was sent since the question", () => {
    const { host, box, send } = confirmation("handled", { maxMessages: 8 });
    for (const name of ["a", "b", "c", "d"]) send(name);
    assertEquals([host.pings.length, box.answer(1), host.pings.length], [1, true, 2]);
  });

  it("has room again when the transfer of a large message has ended", () => {
    const { box, sendWhole } = confirmation("handled", { maxBytes: 4 });
    sendWhole(7, "large");
    assertEquals([box.hasRoom, box.takeWhole(7)?.bytes, box.hasRoom], [false, 5, true]);
  });

  it("forgets nothing that is not confirmed, however much and however old it is", () => {
    const { host, send, inDoubt } = confirmation("handled", {
      maxMessages: 1e6,
      maxBytes: 1e6,
      doubt: 0,
      maxForeign: 2,
    });
    host.heardAt = Infinity;
    for (let index = 0; index < 2000; index++) send("m", -1);
    assertEquals(inDoubt(1e6).length, 2000);
  });

  it("knows when all is confirmed that was sent before a moment: frames, and messages in chunks", () => {
    for (const last of ["frame", "chunks"]) {
      const { box, send, sendWhole } = confirmation("handled");
      send("a");
      sendWhole(7, "large");
      const isDone = box.confirmedSoFar();
      const steps = [() => box.round(0) && box.answer(1), () => box.takeWhole(7) !== undefined];
      if (last === "frame") steps.reverse();
      assertEquals(steps.map((step) => [step(), isDone()]), [[true, false], [true, true]]);
      sendWhole(8, "later");
      assert(isDone());
    }
  });
});

describe("Confirmation of a server of another library", () => {
  it("has in doubt what was sent within the doubt", () => {
    const { host, box, send, inDoubt } = confirmation("nothing");
    host.heardAt = Infinity;
    send("old", 1000);
    box.round(2500);
    send("new", 2000);
    assertEquals(inDoubt(3000), ["new"]);
  });

  it("does not forget what was sent just as long ago as the doubt", () => {
    const { host, box, send, inDoubt } = confirmation("nothing", { maxMessages: 0, doubt: 1000 });
    host.heardAt = Infinity;
    send("too old", 999);
    send("old", 1000);
    assert(box.round(2000));
    assertEquals(inDoubt(2000), ["old"]);
  });

  it("counts the doubt back from the moment at which this side began to close", () => {
    const { host, box, send, inDoubt } = confirmation("nothing", { maxMessages: 0 });
    host.heardAt = Infinity;
    const start = runtime.now();
    send("old", start - 2000);
    send("new", start - 500);
    box.beginEnd();
    box.round(start + 5000);
    assertEquals(inDoubt(start + 5000), ["new"]);
  });

  it("has in doubt what may not have left the process, however long ago it was sent", () => {
    const { host, box, send, inDoubt } = confirmation("nothing");
    host.heardAt = Infinity;
    send("gone", 0);
    box.round(1);
    host.bufferedAmount = 10;
    send("stuck", 2);
    assert(box.round(1e6), "rounds go on as long as something is stuck");
    assertEquals(inDoubt(1e6), ["stuck"]);
  });

  it("has in doubt what was sent since the server fell silent", () => {
    const { host, box, send, inDoubt } = confirmation("nothing");
    host.heardAt = 5;
    send("before", 4);
    send("after", 6);
    box.round(1e6);
    assertEquals(inDoubt(1e6, 5), ["after"]);
  });

  it("has in doubt what was not read, where only reading can be confirmed", () => {
    const { box, send, inDoubt } = confirmation("read");
    send("read", 0);
    box.round(1);
    box.answer(1);
    assert(box.isConfirmed);
    send("not read", 2);
    assert(!box.isConfirmed);
    assertEquals(inDoubt(1e6), ["not read"]);
  });

  it("has everything in doubt as long as the server may still turn out to be a peer of this library", () => {
    const { host, box, send, inDoubt } = confirmation("unknown");
    host.heardAt = Infinity;
    send("a", 0);
    box.round(1e6);
    assertEquals(inDoubt(1e6), ["a"]);
  });

  it("has no room beyond the window until it is known what the server is, and asks for that", () => {
    const { host, box, send } = confirmation("unknown", { maxMessages: 4 });
    for (let index = 0; index < 4; index++) send("m");
    assertEquals([box.hasRoom, host.questions > 0], [false, true]);
    host.proof = "nothing";
    assert(box.hasRoom);
    host.proof = "unknown";
    host.canFindOut = false;
    assert(box.hasRoom);
  });

  it("keeps what was sent before the hello came, and then has it confirmed", () => {
    const { host, box, send, inDoubt } = confirmation("unknown");
    send("a", 0);
    host.proof = "handled";
    send("b", 1);
    box.round(1e6);
    assert(box.answer(host.pings.length));
    assertEquals(inDoubt(1e6), []);
  });

  it("remembers no more than the window beyond the doubt", () => {
    const { box, send, inDoubt } = confirmation("nothing", { maxMessages: 10, doubt: 0 });
    for (let index = 0; index < 100_000; index++) send("m", 0);
    const { length } = inDoubt(1e6, -1);
    assert(length <= 1010, `${length} messages are remembered`);
    assert(box.isConfirmed);
  });

  it("remembers few more than maxForeign, apart from what has not left the process", () => {
    const { host, send, inDoubt } = confirmation("nothing", { maxForeign: 2 });
    for (let index = 0; index < 1000; index++) send("m", 1000);
    host.bufferedAmount = 50;
    for (let index = 0; index < 50; index++) send("n", 1000);
    const left = inDoubt(1000);
    assertEquals(left.filter((name) => name === "n").length, 50);
    assert(left.length <= 50 + 2 + 32, `${left.length} are remembered`);
  });

  it("knows by the bytes in the buffer which messages have left the process", () => {
    const { host, box, send, inDoubt } = confirmation("nothing", { doubt: 0 });
    for (const name of ["a", "bb", "ccc", "dddd"]) send(name, 0);
    host.bufferedAmount = 5; // the last four bytes, and one of the three before them
    box.round(1e6);
    assertEquals(inDoubt(1e6), ["ccc", "dddd"]);
  });

  it("forgets what is out of doubt when there are too many messages, or too many bytes", () => {
    for (const limits of [{ maxMessages: 2 }, { maxBytes: 2 }]) {
      const { host, box, send, inDoubt } = confirmation("nothing", limits);
      host.heardAt = -1;
      for (const name of ["a", "b", "c"]) send(name, 0);
      box.round(1e6);
      assertEquals(inDoubt(1e6, -1), ["b", "c"]);
    }
  });

  it("forgets no message that has been read and has not left, or has left and was not read", () => {
    const { host, box, send, inDoubt } = confirmation("read", { maxMessages: 0, doubt: 0 });
    send("not read", 0);
    box.round(1e6);
    assertEquals(inDoubt(1e6), ["not read"]);
    host.bufferedAmount = 8;
    send("not left", 0);
    box.ask({ isLast: false });
    box.answer(host.pings.length);
    box.round(2e6);
    assertEquals(inDoubt(2e6), ["not left"]);
  });

  it("forgets what it does not need: nothing is remembered of a quiet server that was heard since", () => {
    const { host, box, send, inDoubt } = confirmation("nothing");
    send("a", 0);
    host.heardAt = 2000;
    assertEquals(box.round(3000), false);
    assertEquals(inDoubt(3000, -1), []);
  });
});
