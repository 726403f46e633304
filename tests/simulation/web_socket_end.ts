import { End } from "./end.ts";
import type { Frame } from "./frames.ts";
import { sim } from "./simulation.ts";

/** State of a WebSocket in its runtime. `ended`: the application was told; TCP may live on for a while. */
export type WebSocketState = "handshake" | "open" | "closing" | "ended";

/** A WebSocket as the runtimes have it, from the handshake on: pongs, the echo of a close frame, and the end. */
export abstract class WebSocketEnd extends End {
  state: WebSocketState = "handshake";

  /** A text. */
  protected abstract text(text: string): void;
  protected abstract ping(): void;
  protected abstract pong(payload: string): void;
  /** The end; called once. `error` is the runtime's, if there was no close frame. */
  protected abstract ended(code: number, reason: string, error: Error | null): void;
  protected abstract head(frame: Frame & { kind: "request" | "response" }): void;
  /** A server of Deno drops TCP when a frame comes in after its close frame. */
  protected get isFragile(): boolean {
    return false;
  }

  get buffered(): number {
    if (this.process.flavour.countsWholeFrames && this.state !== "open") return 0;
    return this.isGone ? 0 : this.out?.buffered ?? 0;
  }

  sendText(text: string): void {
    if (this.state !== "open") return;
    sim.observer.textSent(text, this.connection, this.isClient);
    sim.log(this.name, () => `> ${text}`);
    this.write({ kind: "text", text });
  }

  protected abstract readonly isClient: boolean;

  sendPing(payload: string): void {
    if (this.state === "open") this.write({ kind: "ping", payload });
  }

  startClose(code: number, reason: string): void {
    if (this.state !== "open") return;
    sim.log(this.name, () => `> close ${code} ${reason}`);
    this.state = "closing";
    this.write({ kind: "close", code, reason });
  }

  protected end(code: number, reason: string, error: Error | null): void {
    if (this.state === "ended") return;
    sim.log(this.name, () => `ended ${code} ${reason}${error === null ? "" : ` (${error.message})`}`);
    this.state = "ended";
    this.ended(code, reason, error);
  }

  receive(frame: Frame): void {
    if (frame.kind !== "text") sim.log(this.name, () => `< ${JSON.stringify(frame)}`);
    switch (frame.kind) {
      case "reset":
        this.beforeDrop();
        this.forget();
        return this.end(1006, "", new Error("Connection reset by peer (os error 104)"));
      case "fin": {
        const wasEnded = this.state === "ended";
        this.end(1006, "", new Error("Unexpected EOF"));
        return wasEnded ? this.finish() : this.drop("fin");
      }
      case "request":
      case "response":
        return this.head(frame);
      case "close":
        return this.#receiveClose(frame.code, frame.reason);
      default:
        if (this.state === "closing" && this.isFragile) {
          this.drop("reset");
          return this.end(1005, "", null);
        }
        return this.#receiveData(frame);
    }
  }

  #receiveClose(code: number, reason: string): void {
    if (this.state === "open") this.write({ kind: "close", code, reason });
    this.write({ kind: "fin" });
    this.end(code, reason, null);
  }

  #receiveData(frame: Frame & { kind: "text" | "ping" | "pong" }): void {
    if (frame.kind === "ping") {
      if (this.state === "open") this.write({ kind: "pong", payload: frame.payload });
      this.ping();
    } else if (frame.kind === "pong") this.pong(frame.payload);
    else {
      const hears = this.state === "open" || (this.state === "closing" && this.process.flavour.hearsWhileClosing);
      sim.log(this.name, () => `< ${hears ? "" : "(ignored) "}${frame.text}`);
      if (hears) this.text(frame.text);
    }
  }

  protected override beforeDrop(): void {
    for (const frame of this.out?.kept ?? []) {
      if (frame.kind === "text") sim.observer.textKept(frame.text, this.connection);
    }
  }
}
