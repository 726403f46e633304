import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom } from "../../mod.ts";
import type { SentMessage } from "../../session/confirmation.ts";
import { keptText } from "../../session/forward_text.ts";
import { Rounds } from "../../session/rounds.ts";
import { type Content, Session, type SessionChannel, type SessionOptions } from "../../session/session.ts";
import { chunkMessage } from "../../session/transfer/frames.ts";
import { Transfers } from "../../session/transfer/transfers.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { wireText } from "../support/messages.ts";

/** The connection of a session: writes down what the session does with it. */
class FakeChannel implements SessionChannel {
  readonly platform = "qq";
  readonly bufferedAmount = 0;
  readonly heardAt = Infinity;
  readonly canFindOut = false;
  readonly frames: string[] = [];
  readonly protocolPings: string[] = [];

  constructor(readonly canPing: boolean) {}

  sendFrame(text: string): void {
    this.frames.push(text);
  }

  sendOwn(text: string): void {
    this.frames.push(text);
  }

  protocolPing(payload: string): void {
    this.protocolPings.push(payload);
  }

  findOut(): void {}
  confirmed(): void {}
  unanswered(): void {}
  pingFlood(): void {}
}

interface Given extends Partial<SessionOptions> {
  readonly canPing?: boolean;
  readonly features?: readonly string[] | null;
  readonly collected?: (received: Content) => void;
}

function newSession({ canPing = true, features = null, collected = () => {}, ...options }: Given = {}) {
  const channel = new FakeChannel(canPing);
  const events = { rounds: new Rounds(), collected, wantsStreams: () => false, streamed() {}, refused() {} };
  const session = new Session<FakeChannel, SentMessage>(channel, events, {
    decode: {},
    transfers: { transfers: 4, timeout: 1000, maxBytes: 2 ** 20, maxDepth: 64 },
    confirmation: { maxMessages: 100, maxBytes: 1000, timeout: 1000, doubt: 1000, maxForeign: Infinity },
    offered: null,
    sharesTexts: false,
    ...options,
  }, features);
  return { channel, session };
}

describe("Session with a peer of another library", () => {
  it("asks by a protocol ping where it can, and says so where it cannot", () => {
    using _clock = new FakeClock();
    const [can, cannot] = [newSession({ canPing: true }), newSession({ canPing: false })];
    assertEquals([can.session.ask({ isLast: true }), can.channel.protocolPings], [true, ["1"]]);
    assertEquals([cannot.session.ask({ isLast: true }), cannot.channel.protocolPings], [false, []]);
  });

  it("knows by a protocol pong that no hello will come", () => {
    const { session } = newSession({ offered: ["ping"] });
    assertEquals([session.isUnknown, session.proof], [true, "unknown"]);
    session.protocolPong("");
    assertEquals([session.isUnknown, session.proof], [false, "read"]);
  });
});

describe("Session with a peer that answers pings", () => {
  it("counts a pong that it has not asked for as a message", () => {
    const { session } = newSession({ features: ["ping"] });
    assertEquals(session.receive(JSON.stringify(createCustom("maim_pong", { n: 1 }, "qq"))), "own_counted");
  });
});

describe("Session texts", () => {
  it("are shared until the handlers have returned, and kept for those that still run", () => {
    const { session } = newSession({ sharesTexts: true });
    const text = wireText("hi");
    for (const [heard, after] of [["done", undefined], ["unheard", undefined], ["pending", text]] as const) {
      const message = session.receive(text);
      if (typeof message === "string" || message instanceof Error) throw new Error("not a message");
      assertEquals([session.textOf(message), keptText(message)], [text, text]);
      session.handled(heard);
      assertEquals([session.textOf(message), keptText(message)], [undefined, after]);
    }
  });

  it("are known of a message that came in chunks", () => {
    using _clock = new FakeClock();
    const text = wireText("x".repeat(100_000));
    const found: (string | undefined)[] = [];
    const { session } = newSession({
      features: ["chunks"],
      collected: (received) => void found.push(received instanceof Error ? received.message : session.textOf(received)),
    });
    const host = { sendFrame() {}, buffered: () => 0, wantsStreams: () => false, streamed() {} };
    const sender = new Transfers(
      { ...host, collected: () => true, invalid() {}, answered() {}, full() {} },
      { transfers: 4, timeout: 1000, maxBytes: 2 ** 20, maxDepth: 64 },
    );
    for (const frame of sender.wholeText(text).frames) session.receive(JSON.stringify(chunkMessage(frame, "qq")));
    assertEquals(found, [text]);
  });
});
