import { runtime } from "../runtime/mod.ts";

/** Milliseconds that the check for Socket.IO may take. */
const CHECK_TIMEOUT = 2000;

/** Returns the HTTP address of a WebSocket server, without user, password and query. */
export function probeUrl({ protocol, host, pathname }: URL): string {
  return `${protocol === "wss:" ? "https:" : "http:"}//${host}${pathname}`;
}

/** Checks whether a server uses Socket.IO. Source: maim_message 0.7.4 serves Engine.IO 4 under `/ws/`. */
export async function usesSocketIo(url: URL, ca: readonly string[]): Promise<boolean> {
  const request = new AbortController();
  const timer = runtime.after(CHECK_TIMEOUT, () => request.abort());
  try {
    const address = new URL("/ws/?EIO=4&transport=polling", probeUrl(url));
    const text = await runtime.get(address.href, ca, request.signal);
    return text.startsWith('0{"sid"');
  } catch {
    return false;
  } finally {
    runtime.cancel(timer);
  }
}
