import { runtime } from "../runtime/mod.ts";

/** Milliseconds that a question beside the connection may take. */
const PROBE_TIMEOUT = 2000;

/** The HTTP address of a WebSocket server, without anything secret. */
export function probeUrl({ protocol, host, pathname }: URL): string {
  return `${protocol === "wss:" ? "https:" : "http:"}//${host}${pathname}`;
}

/** Asks whether a server speaks Socket.IO. Source: maim_message 0.7.4 serves Engine.IO 4 under `/ws/`. */
export async function speaksSocketIo(url: URL, ca: readonly string[]): Promise<boolean> {
  const question = new AbortController();
  const timer = runtime.after(PROBE_TIMEOUT, () => question.abort());
  try {
    const address = new URL("/ws/?EIO=4&transport=polling", probeUrl(url));
    const text = await runtime.get(address.href, ca, question.signal);
    return text.startsWith('0{"sid"');
  } catch {
    return false;
  } finally {
    runtime.cancel(timer);
  }
}
