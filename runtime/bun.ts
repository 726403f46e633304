import { BunAcceptedSocket } from "./bun_socket.ts";
import { systemClock } from "./clock.ts";
import { getStart } from "./http.ts";
import type {
  Address,
  Attach,
  BunSocket,
  BunWebSocketHandlers,
  ClientSocket,
  DialOptions,
  Fetch,
  GetOptions,
  HttpAnswer,
  Listener,
  Runtime,
  SocketLimits,
} from "./types.ts";

/** The members of `Bun.serve` that this library uses. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { data: unknown }): boolean;
  requestIP(request: Request): { address: string } | null;
  stop(closeActive: boolean): Promise<void>;
}
interface BunServeOptions {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string };
  fetch: (request: Request, server: BunServer) => Response | Promise<Response>;
  websocket: BunWebSocketHandlers;
  error: (error: unknown) => Response;
}
declare const Bun: { serve(options: BunServeOptions): BunServer } | undefined;

const dataOf = (socket: BunSocket): BunAcceptedSocket => socket.data as BunAcceptedSocket; // set by upgrade() below

/**
 * Converts a timeout from milliseconds to whole seconds for Bun, rounded up and at most 960. Bun itself raises 1 to 7
 * seconds to 8. 0 and `Infinity` mean no timeout.
 */
function bunSeconds(ms: number): number {
  return ms === Infinity ? 0 : Math.min(960, Math.ceil(ms / 1000));
}

/** Returns the payload of a pong as text. */
function textOf(data: unknown): string {
  return data instanceof Uint8Array ? new TextDecoder().decode(data) : "";
}

/** Creates the handlers that `Bun.serve` calls for the sockets of one `MessageServer`. */
export function bunHandlers({ maxBytes, idleTimeout }: SocketLimits): BunWebSocketHandlers {
  return {
    maxPayloadLength: Math.min(2 ** 32 - 1, Math.ceil(maxBytes)),
    backpressureLimit: 0,
    idleTimeout: bunSeconds(idleTimeout),
    open: (socket) => dataOf(socket).open(socket),
    message: (socket, data) => dataOf(socket).events?.frame(typeof data === "string" ? data : null),
    drain: (socket) => dataOf(socket).drain(),
    pong: (socket, data) => dataOf(socket).events?.pong?.(textOf(data)),
    close: (socket, code, reason) => dataOf(socket).ended(code, reason),
  };
}

interface BunWebSocketOptions extends DialOptions {
  perMessageDeflate: boolean;
  tls?: { ca: string[] };
}
/**
 * Bun's constructor of a WebSocket, which is missing in Deno's types. Node's constructor takes the same arguments and
 * ignores unknown options.
 */
type BunWebSocket = new (url: string, options: Omit<BunWebSocketOptions, "ca">) => WebSocket & {
  ping?(payload: string): void;
  terminate?(): void;
};

/** Adds Bun's own root certificates to `ca`. Otherwise Bun would trust only the certificates in `ca`. */
function withRoots(ca: readonly string[]): string[] {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const tls = process?.getBuiltinModule?.("node:tls") as { rootCertificates?: readonly string[] } | undefined;
  return [...ca, ...tls?.rootCertificates ?? []];
}

function dial(url: string, { headers, ca }: DialOptions): ClientSocket {
  const tls = ca.length === 0 ? {} : { tls: { ca: withRoots(ca) } };
  // Compression is off, because it makes a Python server seven times slower for large messages.
  const webSocket = new (WebSocket as unknown as BunWebSocket)(url, { headers, perMessageDeflate: false, ...tls });
  const socket: ClientSocket = {
    webSocket,
    ...(webSocket.ping === undefined ? {} : { ping: (payload: string) => webSocket.ping?.(payload) }),
    onControlFrame: null,
    release: () => webSocket.terminate?.(),
  };
  webSocket.addEventListener("ping", () => socket.onControlFrame?.(null));
  webSocket.addEventListener("pong", (event) => {
    const { data } = event as MessageEvent<ArrayBuffer | Uint8Array>;
    socket.onControlFrame?.(new TextDecoder().decode(data));
  });
  return socket;
}

interface BunFetchOptions {
  keepalive: boolean;
  decompress: boolean;
  tls?: { ca: string[] };
}

function get(url: string, options: GetOptions): Promise<HttpAnswer> {
  const { ca } = options;
  const init: RequestInit & BunFetchOptions = {
    keepalive: false, // for Bun, so that no connection stays in a pool
    decompress: false, // for Bun, which otherwise decompresses a body although the request asks for no compression
    ...(ca.length === 0 ? {} : { tls: { ca: withRoots(ca) } }),
  };
  return getStart(url, options, init);
}

/** Returns the error without the URL that Bun 1.4 writes into its text, because a URL may hold a token. */
function errorOf(event: Event): unknown {
  const { error } = event as ErrorEvent;
  if (!(error instanceof Error)) return error;
  const { code } = error as Error & { code?: string };
  const same = new Error(error.message.replace(/^WebSocket connection to '.*' failed: /s, ""));
  return code === undefined ? same : Object.assign(same, { code });
}

function httpStatus(error: unknown): number | null {
  const match = /Expected 101 status code: (\d{3})/.exec(error instanceof Error ? error.message : "");
  return match === null ? null : Number(match[1]);
}

function address(request: Request, info: unknown): string {
  return (info as BunServer | undefined)?.requestIP?.(request)?.address ?? "";
}

function upgrade(request: Request, info: unknown, _limits: SocketLimits, attach: Attach): Response | null {
  const server = info as BunServer | undefined;
  if (typeof server?.upgrade !== "function") {
    throw new TypeError(
      "'info' must be the Bun server; pass on the second argument of fetch: server.fetch(request, info)",
    );
  }
  // Bun ignores the response if the request was upgraded.
  return server.upgrade(request, { data: new BunAcceptedSocket(attach) }) ? new Response(null, { status: 101 }) : null;
}

function listen({ hostname, port, tls }: Address, limits: SocketLimits, fetch: Fetch): Listener {
  if (typeof Bun === "undefined") throw new TypeError("This runtime has no server; use Deno or Bun");
  const server = Bun.serve({
    hostname,
    port,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    fetch,
    websocket: bunHandlers(limits),
    error: () => new Response("internal error\n", { status: 500 }),
  });
  return { port: server.port, stop: () => server.stop(true) };
}

/**
 * The runtime Bun 1.4. It discards the frames that arrive after the server has closed a socket. The client functions
 * also run on Node 26.
 */
export const bunRuntime: Runtime = {
  ...systemClock,
  closeEndsInput: true,
  canPing: true,
  countsWholeFrames: typeof Bun === "undefined", // Node counts whole frames
  dial,
  errorOf,
  httpStatus,
  hidesReason: () => false,
  isStringTooLong: () => false,
  get,
  proxyVariable: () => null,
  address,
  upgrade,
  listen,
};
