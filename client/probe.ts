import { runtime } from "../runtime/mod.ts";
import { HELLO_HEADER, helloHeader, SERVES_HELLO } from "../session/hello.ts";

/** Returns the HTTP address of a WebSocket server, without user, password and query. */
export function probeUrl({ protocol, host, pathname }: URL): string {
  return `${protocol === "wss:" ? "https:" : "http:"}//${host}${pathname}`;
}

/** What a server has answered to a plain HTTP request for its WebSocket. */
export interface ProbeAnswer {
  /** True if the server would send a hello to a WebSocket that is dialled like this. */
  readonly servesHello: boolean;
}

/** Options of {@linkcode probe}. */
export interface ProbeOptions {
  /** PEM certificates that are trusted in addition to the runtime's own. */
  ca: readonly string[];
  /** Features that the client offers. */
  offered: readonly string[];
  /** Ends the request. */
  signal: AbortSignal;
}

/** Asks a server for any HTTP answer. Returns `null` if there is none. Never rejects. */
export async function probe(url: URL, { ca, offered, signal }: ProbeOptions): Promise<ProbeAnswer | null> {
  // Sent as in the handshake: a proxy that removes the header there removes it here, too.
  const headers = { [HELLO_HEADER]: helloHeader(offered) };
  try {
    const { serves } = await runtime.get(probeUrl(url), { headers, ca, signal, maxBytes: 0 });
    return { servesHello: serves === SERVES_HELLO };
  } catch {
    return null;
  }
}
