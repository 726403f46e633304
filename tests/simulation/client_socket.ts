import type { ClientSocket } from "../../runtime/types.ts";
import { connectTcp } from "./connect.ts";
import type { Frame, RequestHead } from "./frames.ts";
import type { Process } from "./process.ts";
import { sim } from "./simulation.ts";
import { WebSocketEnd, type WebSocketState } from "./web_socket_end.ts";

const READY: Readonly<Record<WebSocketState, number>> = { handshake: 0, open: 1, closing: 2, ended: 3 };

/** An error of the runtime that carries the HTTP status of a refused handshake. */
export class HandshakeError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Invalid status code: ${status}`);
    this.status = status;
  }
}

/** The client's end of a WebSocket, with the members of a `WebSocket` that the library uses. */
export class ClientEnd extends WebSocketEnd {
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { error: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  #isCancelled = false;
  onControlFrame: ((pong: string | null) => void) | null = null;
  protected readonly isClient = true;
  #wasOpen = false;

  constructor(process: Process, head: RequestHead) {
    super(process);
    connectTcp(this, head.url, () => this.write({ kind: "request", head }), (error) => this.#fail(error));
  }

  get readyState(): number {
    return READY[this.state];
  }

  get bufferedAmount(): number {
    return this.buffered;
  }

  send(text: string): void {
    if (this.state === "handshake") throw new DOMException("the socket is not open", "InvalidStateError");
    this.sendText(text);
  }

  close(code = 1005, reason = ""): void {
    if (this.state === "open") sim.observer.clientCloses(this.connection, code, reason);
    if (this.state !== "handshake") return this.startClose(code, reason);
    this.#isCancelled = true;
    sim.schedule(0, this.process, () => this.#fail(new Error("Interrupted: operation canceled")));
  }

  /** Drops the connection, if this runtime can. */
  release(): void {
    sim.observer.clientEnded(this.connection, 1006, "");
    if (this.process.flavour.canTerminate) this.drop("reset");
  }

  #fail(error: Error): void {
    if (this.state !== "handshake") return;
    this.drop("reset");
    this.end(1006, "", error);
  }

  protected head(frame: Frame & { kind: "request" | "response" }): void {
    if (frame.kind !== "response" || this.state !== "handshake" || this.#isCancelled) return;
    if (frame.status !== 101) return this.#fail(new HandshakeError(frame.status));
    this.state = "open";
    this.#wasOpen = true;
    this.#read();
    this.onopen?.();
  }

  override left(frame: Frame): void {
    if (frame.kind === "text") sim.observer.textLeft(frame.text, this.connection);
  }

  override moved(): void {
    sim.observer.clientMoved(this.connection);
    super.moved();
  }

  #read(): void {
    sim.observer.clientRead(this.process, this.connection);
  }

  protected text(text: string): void {
    this.#read();
    sim.observer.textReceived(text, this.connection, false);
    this.onmessage?.({ data: text });
  }

  protected ping(): void {
    this.#read();
    if (this.process.flavour.canPing) this.onControlFrame?.(null);
  }

  protected pong(payload: string): void {
    this.#read();
    if (this.process.flavour.canPing) this.onControlFrame?.(payload);
  }

  protected ended(code: number, reason: string, error: Error | null): void {
    const wasDialling = !this.#wasOpen; // Bun has no error event for a connection that was open
    const isDeno = this.process.flavour.name === "deno";
    if (error !== null) this.beforeDrop();
    sim.observer.clientEnded(this.connection, code, reason);
    if (error !== null && (isDeno || wasDialling)) this.onerror?.({ error });
    this.onclose?.({ code: error === null ? code : this.process.flavour.abnormalCode, reason });
  }
}

/** Dials, as `Runtime.dial`. */
export function dial(process: Process, head: RequestHead): ClientSocket {
  const end = new ClientEnd(process, head);
  const socket: ClientSocket = {
    webSocket: end as unknown as WebSocket,
    onControlFrame: null,
    release: () => end.release(),
    ...(process.flavour.canPing ? { ping: (payload: string) => end.sendPing(payload) } : {}),
  };
  end.onControlFrame = (pong) => socket.onControlFrame?.(pong);
  return socket;
}
