import { runtime } from "../runtime/mod.ts";

/** Maximum milliseconds that the check for Socket.IO may take. */
const CHECK_TIMEOUT = 2000;

/** Start of the answer of an Engine.IO server to its handshake. */
const ENGINE_IO_OPEN = '0{"sid"';

/** Returns the HTTP address of a WebSocket server, without user, password and query. */
export function probeUrl({ protocol, host, pathname }: URL): string {
  return `${protocol === "wss:" ? "https:" : "http:"}//${host}${pathname}`;
}

/**
 * Checks whether a server uses Socket.IO. Source: maim_message 0.7.4 serves Engine.IO 4 under `/ws/`. Takes at most
 * `timeout` milliseconds, and reads no more of the answer than the check needs.
 */
export async function usesSocketIo(url: URL, ca: readonly string[], timeout: number): Promise<boolean> {
  const request = new AbortController();
  const timer = runtime.after(Math.min(timeout, CHECK_TIMEOUT), () => request.abort());
  try {
    const address = new URL("/ws/?EIO=4&transport=polling", probeUrl(url));
    const options = { headers: {}, ca, signal: request.signal, maxBytes: ENGINE_IO_OPEN.length };
    const { text } = await runtime.get(address.href, options);
    return text === ENGINE_IO_OPEN;
  } catch {
    return false;
  } finally {
    runtime.cancel(timer);
  }
}
