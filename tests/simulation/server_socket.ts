import { HELLO_HEADER } from "../../session/hello.ts";
import type { Attach, ServerSocket, SocketEvents } from "../../runtime/types.ts";
import type { Frame, RequestHead } from "./frames.ts";
import type { Listening } from "./listening.ts";
import { sim } from "./simulation.ts";
import { WebSocketEnd } from "./web_socket_end.ts";

/** Milliseconds before its idle timeout at which Bun sends a ping. */
const BUN_PING_BEFORE = 16_000;

/** A request as the server's `fetch` gets it. It has the members that the library reads. */
export class SimRequest {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly end: ServerEnd;

  constructor({ url, headers }: RequestHead, end: ServerEnd) {
    this.url = url.replace(/^ws/, "http");
    this.headers = { get: (name) => headers[name.toLowerCase()] ?? null };
    this.end = end;
  }
}

/** The server's end of a connection: first HTTP, then perhaps a WebSocket. */
export class ServerEnd extends WebSocketEnd {
  protected readonly isClient = false;
  readonly #listening: Listening;
  #events: SocketEvents | null = null;
  #isUpgraded = false;
  #lastFrame = 0;

  constructor(listening: Listening) {
    super(listening.process);
    this.#listening = listening;
  }

  /** The address of the caller: each connection has its own, so that an observer can tell them apart. */
  get address(): string {
    return `10.0.0.${this.connection}`;
  }

  protected head(frame: Frame & { kind: "request" | "response" }): void {
    if (frame.kind === "request") void this.#answer(frame.head);
  }

  async #answer(head: RequestHead): Promise<void> {
    const { fetch, process } = this.#listening;
    const request = new SimRequest(head, this);
    let response: Response;
    try {
      response = await fetch(request as unknown as Request, undefined);
    } catch (error) {
      return sim.observer.broken("uncaught", `fetch rejects: ${error}`);
    }
    if (this.#isUpgraded) {
      if (process.flavour.endsAtOnce) return; // opened in upgrade()
      this.write({ kind: "response", status: 101, serves: null, body: "" });
      return void sim.schedule(0.5, process, () => this.#open());
    }
    const body = await response.text();
    this.write({ kind: "response", status: response.status, serves: response.headers.get(HELLO_HEADER), body });
    this.write({ kind: "fin" });
    this.state = "ended";
  }

  /** A runtime reads nothing before it has told of the open socket. */
  override receive(frame: Frame): void {
    if (this.#isUpgraded && this.state === "handshake") this.#open();
    super.receive(frame);
  }

  /** The listener stops: drops what is not a WebSocket, and closes what is. */
  stop(isAtOnce: boolean): void {
    if (!this.#isUpgraded) this.drop("fin");
    else if (isAtOnce) this.terminate();
    else this.close(1001, "Server shutting down");
  }

  /** Makes a WebSocket of the request; `false` if the caller is gone. */
  upgrade(attach: Attach): boolean {
    if (this.isGone) return false;
    this.#isUpgraded = true;
    this.#events = attach(this.#socket());
    if (this.process.flavour.endsAtOnce) {
      this.write({ kind: "response", status: 101, serves: null, body: "" });
      this.#open();
    }
    return true;
  }

  #open(): void {
    if (this.isGone || this.state !== "handshake") return;
    this.state = "open";
    this.#lastFrame = sim.now;
    this.#watchIdle();
    this.#events?.opened();
  }

  #socket(): ServerSocket {
    const buffered = (): number => this.buffered;
    const socket: ServerSocket = {
      get buffered(): number {
        return buffered();
      },
      send: (text) => {
        if (this.state === "handshake") throw new DOMException("the socket is not open", "InvalidStateError");
        this.sendText(text);
      },
      close: (code, reason) => this.close(code, reason),
    };
    if (!this.process.flavour.canTerminate) return socket;
    socket.terminate = () => this.terminate();
    socket.ping = (payload = "") => this.sendPing(payload);
    return socket;
  }

  close(code: number, reason: string): void {
    if (this.state === "handshake" && !this.process.flavour.endsAtOnce) return; // Deno loses it
    this.startClose(code, reason);
    if (this.process.flavour.endsAtOnce) this.end(code, reason, null);
  }

  terminate(): void {
    this.drop("reset");
    this.end(1006, "", null);
  }

  get isWebSocket(): boolean {
    return this.#isUpgraded;
  }

  protected override get isFragile(): boolean {
    return this.process.flavour.closeIsFragile;
  }

  #watchIdle(): void {
    const { idleTimeout } = this.#listening.limits;
    if (idleTimeout === 0) return;
    const isDeno = this.process.flavour.name === "deno";
    const pingAfter = isDeno ? idleTimeout / 2 : Math.max(idleTimeout - BUN_PING_BEFORE, idleTimeout / 2);
    const check = (isAsked: boolean): void => {
      if (this.isGone || this.state !== "open") return;
      const quiet = sim.now - this.#lastFrame;
      const limit = isAsked ? idleTimeout : pingAfter;
      if (quiet < limit) return void sim.schedule(pingAfter - quiet, this.process, () => check(false));
      // A ping waits behind the frames that the kernel has not taken; Deno's timer starts when it is written.
      if (isDeno && isAsked && this.buffered > 0) {
        return void sim.schedule(idleTimeout - pingAfter, this.process, () => check(true));
      }
      if (isAsked) return this.#giveUp(isDeno);
      this.sendPing("");
      sim.schedule(idleTimeout - pingAfter, this.process, () => check(true));
    };
    sim.schedule(pingAfter, this.process, () => check(false));
  }

  #giveUp(isDeno: boolean): void {
    if (isDeno) {
      this.startClose(1001, "No response from ping frame.");
      this.write({ kind: "fin" });
      this.end(1001, "No response from ping frame.", null);
    } else {
      this.drop("fin");
      this.end(1006, "", null);
    }
  }

  protected text(text: string): void {
    this.#lastFrame = sim.now;
    sim.observer.textReceived(text, this.connection, true);
    this.#events?.frame(text);
  }

  protected ping(): void {}

  protected pong(payload: string): void {
    this.#lastFrame = sim.now;
    this.#events?.pong?.(payload);
  }

  protected ended(code: number, reason: string, error: Error | null): void {
    if (error !== null) this.beforeDrop();
    // Before it is open, Deno tells nobody of the end.
    if (this.#isUpgraded && this.#lastFrame > 0) this.#events?.ended(code, error === null ? reason : "");
  }
}
