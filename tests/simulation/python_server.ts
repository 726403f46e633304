import { HELLO_HEADER, SERVES_HELLO } from "../../session/hello.ts";
import type { ServerSocket, SocketEvents } from "../../runtime/types.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { FLAVOURS } from "./flavour.ts";
import { newMessage, numberInText } from "./messages.ts";
import type { Oracle } from "./oracle.ts";
import { Process } from "./process.ts";
import type { PythonServerSpec } from "./scenario_types.ts";
import type { SimRequest } from "./server_socket.ts";
import { sim } from "./simulation.ts";
import type { ServerNode, World } from "./world.ts";

/** uvicorn, as MaiBot runs it: a ping each 20 s, and 20 s for the pong. */
const PING_INTERVAL = 20_000;
const PONG_TIMEOUT = 20_000;
/** How long a newcomer waits until the older connection of its platform has closed. */
const REPLACE_TIMEOUT = 10_000;

/** One connection of the model. */
class PythonPeer implements SocketEvents {
  readonly socket: ServerSocket;
  readonly platform: string;
  readonly #server: PythonServer;
  readonly #isAuthorized: boolean;
  readonly connection: number;
  /** Frames that are not read yet; `null` once the server reads. */
  #unread: string[] | null = [];
  #isClosing = false;
  #pongAt = 0;
  /** Newcomers of the same platform that wait for the end of this one. */
  readonly #waiting: (() => void)[] = [];

  constructor(server: PythonServer, socket: ServerSocket, request: SimRequest, isAuthorized: boolean) {
    this.#server = server;
    this.socket = socket;
    this.platform = request.headers.get("platform") ?? "unknown";
    this.connection = request.end.connection;
    this.#isAuthorized = isAuthorized;
  }

  opened(): void {
    if (!this.#isAuthorized) return this.close(CLOSE.unauthorizedByMaim);
    const { peers } = this.#server;
    const older = peers.get(this.platform);
    this.#pongAt = sim.now;
    this.#ping();
    if (older === undefined || this.#server.spec.isMute) return this.#register(); // ours says hello at once
    older.close(CLOSE.replaced);
    let isWaiting = true;
    const register = (): void => {
      if (isWaiting) this.#register();
      isWaiting = false;
    };
    older.#waiting.push(register);
    sim.schedule(REPLACE_TIMEOUT, this.#server.process, register);
  }

  #register(): void {
    this.#server.peers.set(this.platform, this);
    this.#server.greet(this);
    const unread = this.#unread ?? [];
    this.#unread = null;
    for (const text of unread) this.#server.handle(text, this.connection);
  }

  #ping(): void {
    sim.schedule(PING_INTERVAL, this.#server.process, () => {
      if (this.#isClosing) return;
      this.socket.ping?.();
      const askedAt = sim.now;
      sim.schedule(PONG_TIMEOUT, this.#server.process, () => {
        if (this.#isClosing || this.#pongAt >= askedAt) return;
        this.close(CLOSE.silent);
        this.socket.terminate?.();
      });
      this.#ping();
    });
  }

  pong(): void {
    this.#pongAt = sim.now;
  }

  frame(text: string | null): void {
    if (text === null || !this.#isAuthorized) return;
    if (this.#unread !== null) this.#unread.push(text);
    else if (!this.#isClosing || this.#server.spec.handlesAfterClose) this.#server.handle(text, this.connection);
  }

  close({ code, reason }: CloseFrame): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.socket.close(code, reason);
  }

  ended(): void {
    this.#isClosing = true;
    if (this.#server.peers.get(this.platform) === this) this.#server.peers.delete(this.platform);
    for (const register of this.#waiting.splice(0)) register();
  }
}

/**
 * A model of maim_message 0.6.8: accepts, then closes 1008; the newest of a platform wins; no hello and no answer to
 * `maim_` frames; messages are handled in order. With `isMute` it says hello, and still never answers.
 */
export class PythonServer implements ServerNode {
  readonly process: Process;
  readonly spec: PythonServerSpec;
  readonly peers: Map<string, PythonPeer> = new Map();
  readonly #oracle: Oracle;
  readonly #tokens: Set<string> | null;
  readonly #port: number;
  readonly pending: readonly string[] = [];

  constructor(world: World, spec: PythonServerSpec, process: Process, port: number) {
    this.process = process;
    this.spec = spec;
    this.#oracle = world.oracle;
    this.#tokens = spec.tokens === undefined ? null : new Set(spec.tokens);
    this.#port = port;
    const fetch = (request: Request) => this.#answer(request as unknown as SimRequest);
    sim.listeners.set(port, { process, limits: { maxBytes: 104_857_600, idleTimeout: 0 }, fetch });
    if (spec.talks) this.#talk(spec.talks);
  }

  static newProcess(name: string): Process {
    return new Process(name, FLAVOURS.python);
  }

  #answer(request: SimRequest): Response {
    const isUpgrade = request.headers.get("upgrade") !== null;
    if (new URL(request.url).pathname !== "/ws" || !isUpgrade) {
      const headers = this.spec.isMute ? { [HELLO_HEADER]: SERVES_HELLO } : {};
      return new Response('{"detail":"Not Found"}', { status: isUpgrade ? 403 : 404, headers });
    }
    const isAuthorized = this.#tokens?.has(request.headers.get("authorization") ?? "") ?? true;
    request.end.upgrade((socket) => new PythonPeer(this, socket, request, isAuthorized));
    return new Response(null);
  }

  greet({ socket }: PythonPeer): void {
    if (!this.spec.isMute) return;
    const content = { version: 1, features: ["ping"] };
    socket.send(JSON.stringify({ message_type_name: "maim_hello", content, is_custom_message: true }));
  }

  handle(text: string, connection: number): void {
    const number = numberInText(text);
    if (number !== null) this.#oracle.handled(number, connection, true);
  }

  #talk(interval: number): void {
    sim.schedule(interval, this.process, () => {
      for (const { platform } of this.peers.values()) this.send(1, 20, "send", platform);
      this.#talk(interval);
    });
  }

  send(count: number, size: number, how: string, to: string): void {
    for (const { socket, platform } of this.peers.values()) {
      if (how !== "broadcast" && platform !== to) continue;
      for (let index = 0; index < count; index++) {
        socket.send(JSON.stringify(newMessage(this.#oracle.newNumber(), platform, size, false)));
      }
    }
  }

  textReceived(): void {}

  closePeer(platform: string, code: number): void {
    this.peers.get(platform)?.close({ code, reason: "" });
  }

  removeToken(): void {
    this.#tokens?.clear();
  }

  close(): Promise<void> {
    if (sim.listeners.get(this.#port)?.process === this.process) sim.listeners.delete(this.#port);
    for (const peer of this.peers.values()) peer.close(CLOSE.stopped);
    // The process ends, whatever its peers do.
    sim.schedule(1000, null, () => this.process.kill());
    return Promise.resolve();
  }
}
