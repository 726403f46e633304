import { systemClock, type Timer } from "./clock.ts";
import { getStart } from "./http.ts";
import type {
  Address,
  Attach,
  ClientSocket,
  DialOptions,
  Fetch,
  GetOptions,
  HttpAnswer,
  Listener,
  Runtime,
  ServerSocket,
  SocketEvents,
  SocketLimits,
} from "./types.ts";

/**
 * The members of `Deno` that this library uses. They are declared here, because Deno's own types may be missing when a
 * user's program is type-checked.
 */
interface DenoGlobal {
  createHttpClient(options: { caCerts: string[]; poolMaxIdlePerHost?: number }): DenoHttpClient;
  readonly permissions: { querySync(descriptor: { name: "env"; variable: string }): { readonly state: string } };
  readonly env: { get(name: string): string | undefined };
  upgradeWebSocket(request: Request, options: { idleTimeout: number }): DenoUpgrade;
  serve(options: DenoServeOptions, handler: Fetch): DenoServer;
}
interface DenoHttpClient {
  close(): void;
}
interface DenoUpgrade {
  readonly response: Response;
  readonly socket: WebSocket;
}
interface DenoServeOptions {
  hostname: string;
  port: number;
  cert?: string;
  key?: string;
  onListen: () => void;
}
interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}
type DenoWebSocket = new (
  url: string,
  options: { headers: Record<string, string>; client?: DenoHttpClient },
) => WebSocket;

const { Deno } = globalThis as unknown as { Deno: DenoGlobal };

function dial(url: string, { headers, ca }: DialOptions): ClientSocket {
  const DenoWebSocket = WebSocket as unknown as DenoWebSocket;
  if (ca.length === 0) return { webSocket: new DenoWebSocket(url, { headers }), onControlFrame: null, release() {} };
  const client = Deno.createHttpClient({ caCerts: [...ca] });
  try {
    const webSocket = new DenoWebSocket(url, { headers, client });
    return { webSocket, onControlFrame: null, release: () => client.close() };
  } catch (error) {
    client.close();
    throw error;
  }
}

async function get(url: string, options: GetOptions): Promise<HttpAnswer> {
  // A separate client, so that no connection stays in a pool.
  const client = Deno.createHttpClient({ caCerts: [...options.ca], poolMaxIdlePerHost: 0 });
  try {
    const init: RequestInit & { client: DenoHttpClient } = { client };
    return await getStart(url, options, init);
  } catch (error) {
    throw (error as Error).cause ?? error; // the text of the error without its cause is only "fetch failed"
  } finally {
    client.close();
  }
}

/**
 * Deno 2.9 uses the proxy of the environment variables also for WebSockets, even to 127.0.0.1. A variable is read only
 * if the program has the permission already, so that Deno shows no prompt.
 */
function proxyVariable({ protocol, hostname }: URL): string | null {
  const value = (name: string): string | undefined => {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : undefined;
  };
  const names = [protocol === "wss:" ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"];
  const set = names.flatMap((name) => [name, name.toLowerCase()]).find((name) => value(name));
  if (set === undefined || (value("NO_PROXY") ?? value("no_proxy") ?? "").includes(hostname)) return null;
  return set;
}

function errorOf(event: Event): unknown {
  return (event as ErrorEvent).error;
}

function httpStatus(error: unknown): number | null {
  const match = /Invalid status code: (\d{3})/.exec(error instanceof Error ? error.message : "");
  return match === null ? null : Number(match[1]);
}

/**
 * Deno 2.9 dials a TLS server first for HTTP/1.1, and after any failure once more for HTTP/2. It shows only the error
 * of the second attempt. A server without HTTP/2 always causes that error, whatever the reason of the first failure
 * was.
 */
function hidesReason(error: unknown): boolean {
  return error instanceof Error && error.message.includes("NoApplicationProtocol");
}

/** Deno 2.9 reports this error when the fragments of one message together are longer than the longest string of V8. */
function isStringTooLong(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("failed to allocate string");
}

function address(_request: Request, info: unknown): string {
  return (info as { remoteAddr?: { hostname?: string } } | undefined)?.remoteAddr?.hostname ?? "";
}

/**
 * Converts a timeout from milliseconds to seconds for Deno, at most 2^31 - 1 ms, because a larger number would overflow
 * in Deno. 0 and `Infinity` mean no timeout.
 */
function denoSeconds(ms: number): number {
  return ms === Infinity ? 0 : Math.min(ms, 2 ** 31 - 1) / 1000;
}

/** A socket of Deno. The object is its own event listener, which saves memory for idle connections. */
class AcceptedSocket implements ServerSocket, EventListenerObject {
  readonly #socket: WebSocket;
  readonly #events: SocketEvents;
  /** Bytes that were queued when the socket was closed. */
  #bufferedAtClose = 0;
  #isEnded = false;

  constructor(socket: WebSocket, attach: Attach) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#events = attach(this);
    for (const type of ["open", "message", "close"]) socket.addEventListener(type, this);
  }

  /**
   * After `close()`, Deno 2.9 reports 0, although it keeps the bytes in memory until the socket is gone. This getter
   * then returns the number at the time of `close()`.
   */
  get buffered(): number {
    return this.#isEnded ? 0 : Math.max(this.#bufferedAtClose, this.#socket.bufferedAmount);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#bufferedAtClose = this.buffered;
    this.#socket.close(code, reason);
  }

  /** Called by Deno for each event. */
  handleEvent(event: Event): void {
    if (event.type === "message") {
      const { data } = event as MessageEvent<unknown>;
      this.#events.frame(typeof data === "string" ? data : null);
    } else if (event.type === "open") this.#events.opened();
    else this.#end(event as CloseEvent);
  }

  /**
   * Reports the end once, and with 1006 instead of 0: Deno 2.9 reports an idle timeout and a failed write twice, and a
   * lost connection with code 0.
   */
  #end({ code, reason }: CloseEvent): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events.ended(code || 1006, reason);
  }
}

function upgrade(request: Request, _info: unknown, limits: SocketLimits, attach: Attach): Response | null {
  let upgraded: DenoUpgrade;
  try {
    upgraded = Deno.upgradeWebSocket(request, { idleTimeout: denoSeconds(limits.idleTimeout) });
  } catch (error) {
    // The handshake has no key, or the caller is gone.
    if (error instanceof TypeError || (error as Error).name === "Http") return null;
    throw error;
  }
  new AcceptedSocket(upgraded.socket, attach);
  return upgraded.response;
}

/**
 * Maximum time in milliseconds that `stop()` waits for sockets to end. Deno 2.9 cannot drop a socket whose peer does
 * not read.
 */
const SHUTDOWN_TIMEOUT = 1000;

function listen({ hostname, port, tls }: Address, _limits: SocketLimits, fetch: Fetch): Listener {
  const onListen = () => {};
  const server = tls === undefined
    ? Deno.serve({ hostname, port, onListen }, fetch)
    : Deno.serve({ hostname, port, cert: tls.cert, key: tls.key, onListen }, fetch);
  return {
    port: server.addr.port,
    async stop() {
      let timer: Timer | undefined;
      const stuck = new Promise<void>((resolve) => timer = systemClock.after(SHUTDOWN_TIMEOUT, resolve));
      await Promise.race([server.shutdown(), stuck]);
      systemClock.cancel(timer);
    },
  };
}

/**
 * The runtime Deno 2.9. If a frame comes in after the server has sent its close frame, TCP ends at once and the close
 * frame is lost.
 */
export const denoRuntime: Runtime = {
  ...systemClock,
  closeEndsInput: false,
  canPing: false,
  countsWholeFrames: true,
  dial,
  errorOf,
  httpStatus,
  hidesReason,
  isStringTooLong,
  get,
  proxyVariable,
  address,
  upgrade,
  listen,
};
