import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { BunAcceptedSocket } from "../../runtime/bun_socket.ts";
import type { BunSocket } from "../../runtime/types.ts";

/** As much as Bun may hold before frames wait. */
const FULL = 16 * 2 ** 20;

/** What Bun gives, by hand: the kernel takes frames while there is room, and one more than that fills Bun. */
class HandSocket implements BunSocket {
  readonly data = null;
  readonly taken: string[] = [];
  /** Frames the kernel takes. */
  room = Infinity;
  held = 0;
  calls: string[] = [];

  sendText(text: string): number {
    this.taken.push(text);
    if (--this.room >= 0) return text.length;
    this.held += FULL;
    return -1;
  }
  close(code: number): void {
    this.calls.push(`close ${code}`);
  }
  terminate(): void {
    this.calls.push("terminate");
  }

  ping(): void {}
  getBufferedAmount(): number {
    return this.held;
  }
}

/** A socket that is open and full: "a" has filled it, "bb" and "字" wait. */
function full(): { hand: HandSocket; socket: BunAcceptedSocket; ended: [number, string][] } {
  const hand = new HandSocket();
  const ended: [number, string][] = [];
  const socket = new BunAcceptedSocket(() => ({
    opened: () => {},
    frame: () => {},
    ended: (code, reason) => void ended.push([code, reason]),
  }));
  socket.open(hand);
  hand.room = 0;
  for (const text of ["a", "bb", "字"]) socket.send(text);
  return { hand, socket, ended };
}

// The sanitizers of Deno fail each of these that leaves its timer behind.
describe("BunAcceptedSocket", () => {
  it("keeps what comes once Bun is full, and counts it all", () => {
    const { hand, socket } = full();
    assertEquals([hand.taken, socket.buffered], [["a"], FULL + 2 + 3]);
    socket.close(1000, "");
  });

  it("sends nothing on while Bun is still full, as it also tells of less", () => {
    const { hand, socket } = full();
    hand.room = Infinity;
    socket.drain();
    assertEquals(hand.taken, ["a"]);
    socket.close(1000, "");
  });

  it("lets Bun hold what does not fill it", () => {
    const { hand, socket } = full();
    socket.close(1000, "");
    hand.held = 1 - FULL;
    hand.room = 0;
    for (const text of ["c", "d"]) socket.send(text);
    assertEquals([hand.taken, socket.buffered], [["a", "c", "d"], 1 + FULL]);
    socket.close(1000, "");
  });

  it("sends on in order when Bun has room, until it is full again, and then at once", () => {
    const { hand, socket } = full();
    hand.held = FULL - 1;
    hand.room = 0;
    socket.drain();
    assertEquals([hand.taken, socket.buffered], [["a", "bb"], FULL - 1 + FULL + 3]);
    hand.held = 0;
    hand.room = Infinity;
    socket.drain();
    socket.send("c");
    assertEquals([hand.taken, socket.buffered], [["a", "bb", "字", "c"], 0]);
  });

  it("waits on when the last frame has filled Bun", () => {
    const { hand, socket } = full();
    hand.held = 0;
    hand.room = 1;
    socket.drain();
    socket.send("c");
    assertEquals([hand.taken, socket.buffered], [["a", "bb", "字"], FULL + 1]);
    socket.close(1000, "");
  });

  it("looks by itself when Bun does not tell", async () => {
    const { hand, socket } = full();
    hand.held = 0;
    hand.room = Infinity;
    const { promise, resolve } = Promise.withResolvers<void>();
    const send = hand.sendText.bind(hand);
    hand.sendText = (text) => {
      if (text === "字") resolve();
      return send(text);
    };
    await promise;
    assertEquals([hand.taken, socket.buffered], [["a", "bb", "字"], 0]);
  });

  for (
    const [how, end, calls] of [
      ["close()", (socket: BunAcceptedSocket) => socket.close(1013, "not reading"), ["close 1013"]],
      ["terminate()", (socket: BunAcceptedSocket) => socket.terminate(), ["terminate"]],
      ["the end of the socket", (socket: BunAcceptedSocket) => socket.ended(1006, "gone"), []],
    ] as const
  ) {
    it(`forgets what waits at ${how}`, () => {
      const { hand, socket, ended } = full();
      end(socket);
      hand.held = 0;
      hand.room = Infinity;
      socket.drain();
      assertEquals([hand.taken, socket.buffered, hand.calls], [["a"], 0, calls]);
      assertEquals(ended, calls.length > 0 ? [] : [[1006, "gone"]]);
    });
  }
});
