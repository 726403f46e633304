import { systemClock, type Timer } from "./clock.ts";
import type {
  Address,
  Attach,
  Dialled,
  DialOptions,
  Fetch,
  Listener,
  Runtime,
  ServerSocket,
  SocketEvents,
  SocketLimits,
} from "./types.ts";

function dial(url: string, { headers, ca }: DialOptions): Dialled {
  if (ca.length === 0) return { socket: new WebSocket(url, { headers }), onsign: null, release() {} };
  const client = Deno.createHttpClient({ caCerts: [...ca] });
  try {
    return { socket: new WebSocket(url, { headers, client }), onsign: null, release: () => client.close() };
  } catch (error) {
    client.close();
    throw error;
  }
}

async function get(url: string, ca: readonly string[], signal: AbortSignal): Promise<string> {
  // A client of its own, so that no connection stays in a pool.
  const client = Deno.createHttpClient({ caCerts: [...ca], poolMaxIdlePerHost: 0 });
  try {
    const response = await fetch(url, { client, signal, redirect: "manual" });
    return await response.text();
  } finally {
    client.close();
  }
}

/** Deno 2.9 sends ws:// through a proxy even to 127.0.0.1; the variables are read only if that needs no question. */
function proxyHint({ protocol, hostname }: URL): string {
  const value = (name: string): string | undefined => {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : undefined;
  };
  const names = [protocol === "wss:" ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"];
  const set = names.flatMap((name) => [name, name.toLowerCase()]).find((name) => value(name));
  if (set === undefined || (value("NO_PROXY") ?? value("no_proxy") ?? "").includes(hostname)) return "";
  return `; ${set} is set, and Deno sends WebSockets through it: add ${hostname} to NO_PROXY`;
}

function errorOf(event: Event): unknown {
  return (event as ErrorEvent).error;
}

function httpStatus(cause: unknown): number | null {
  const match = /Invalid status code: (\d{3})/.exec(cause instanceof Error ? cause.message : "");
  return match === null ? null : Number(match[1]);
}

function address(_request: Request, info: unknown): string {
  const remote = (info as Deno.ServeHandlerInfo<Deno.Addr> | undefined)?.remoteAddr;
  return remote !== undefined && "hostname" in remote ? remote.hostname : "";
}

/** Deno counts seconds in a number that can overflow; Infinity is off, like 0. */
function denoSeconds(ms: number): number {
  return ms === Infinity ? 0 : Math.min(ms, 2 ** 31 - 1) / 1000;
}

/** What the library sees of a socket of Deno: one object that also hears its events, as many of them are idle. */
class AcceptedSocket implements ServerSocket, EventListenerObject {
  readonly #socket: WebSocket;
  readonly #events: SocketEvents;
  #isEnded = false;

  constructor(socket: WebSocket, attach: Attach) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#events = attach(this);
    for (const type of ["open", "message", "close"]) socket.addEventListener(type, this);
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Called by the runtime. */
  handleEvent(event: Event): void {
    if (event.type === "message") {
      const { data } = event as MessageEvent<unknown>;
      this.#events.frame(typeof data === "string" ? data : null);
    } else if (event.type === "open") this.#events.opened();
    else this.#end(event as CloseEvent);
  }

  /** Deno 2.9 tells of an idle timeout and of a failed write twice, and of a fall with code 0. */
  #end({ code, reason }: CloseEvent): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events.ended(code || 1006, reason);
  }
}

function upgrade(request: Request, _info: unknown, limits: SocketLimits, attach: Attach): Response | null {
  let upgraded: Deno.WebSocketUpgrade;
  try {
    upgraded = Deno.upgradeWebSocket(request, { idleTimeout: denoSeconds(limits.idleTimeout) });
  } catch (error) {
    // A handshake without a key, or from a caller that is gone.
    if (error instanceof TypeError || (error as Error).name === "Http") return null;
    throw error;
  }
  new AcceptedSocket(upgraded.socket, attach);
  return upgraded.response;
}

/** How long a shutdown may wait for a socket whose peer does not read; Deno 2.9 can not drop it. */
const STUCK = 1000;

function listen({ hostname, port, tls }: Address, _limits: SocketLimits, fetch: Fetch): Listener {
  const handler: Deno.ServeHandler = (request, info) => fetch(request, info);
  const onListen = () => {};
  const server = tls === undefined
    ? Deno.serve({ hostname, port, onListen }, handler)
    : Deno.serve({ hostname, port, cert: tls.cert, key: tls.key, onListen }, handler);
  return {
    port: server.addr.port,
    async stop() {
      let timer: Timer | undefined;
      const stuck = new Promise<void>((resolve) => timer = systemClock.after(STUCK, resolve));
      await Promise.race([server.shutdown(), stuck]);
      systemClock.cancel(timer);
    },
  };
}

/** Deno 2.9: the server ends the TCP connection at the first frame after its own close frame, which is then lost. */
export const denoRuntime: Runtime = {
  ...systemClock,
  closeEndsInput: false,
  canPing: false,
  dial,
  errorOf,
  httpStatus,
  get,
  proxyHint,
  address,
  upgrade,
  listen,
};
