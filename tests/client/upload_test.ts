import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Upload } from "../../client/upload.ts";
import { runtime } from "../../runtime/mod.ts";

/** A WebSocket whose kernel takes what the test says. */
class FakeSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];

  send(text: string): void {
    this.sent.push(text);
    this.bufferedAmount += text.length;
  }
}

function upload(): { socket: FakeSocket; upload: Upload } {
  const socket = new FakeSocket();
  return { socket, upload: new Upload(socket as unknown as WebSocket) };
}

/** A step that the runtime tells of: a whole frame on Deno, on Bun at most 128 KiB. */
function step(frame: number): number {
  return runtime.countsWholeFrames ? frame : Math.min(frame, 131_072);
}

describe("Upload", () => {
  it("counts what was queued and what has left", () => {
    const { socket, upload: frames } = upload();
    frames.send("abc");
    frames.send("defgh");
    assertEquals(frames.progress, { queued: 8, left: 0, step: step(5) });
    socket.bufferedAmount = 5;
    assertEquals(frames.progress, { queued: 8, left: 3, step: step(5) });
    frames.send("ij");
    socket.bufferedAmount = 0;
    assertEquals(frames.progress, { queued: 10, left: 10, step: step(5) });
    assertEquals(socket.sent, ["abc", "defgh", "ij"]);
  });

  it("forgets the largest frame once everything has left", () => {
    const { socket, upload: frames } = upload();
    frames.send("x".repeat(1_000_000));
    assertEquals(frames.progress.step, step(1_000_000));
    socket.bufferedAmount = 0;
    frames.send("small");
    assertEquals(frames.progress.step, step(5));
  });
});
