import { agreeOn, HELLO_HEADER } from "../session/hello.ts";
import type { ServerSettings } from "./settings.ts";
import type { TokenSet } from "./tokens.ts";

/** What is asked of a request before it becomes a connection. */
export interface Gate extends Pick<ServerSettings, "path" | "authorize" | "origins" | "query" | "features"> {
  readonly tokens: TokenSet;
}

/** Who is calling, once the request has been read: Deno can not read its headers later. */
export interface Caller {
  /** The name it routes by; `"default"` when it gave none. */
  readonly platform: string;
  readonly address: string;
  /** Features agreed on by hello, or `null`. */
  readonly features: readonly string[] | null;
  /** Whether token and `authorize` let it in. */
  readonly isAuthorized: boolean;
}

/** The name of those who give none. Source: the seed; maim_message 0.3.0. */
export const DEFAULT_PLATFORM = "default";

/** One readable line, and nothing that a cache would keep. */
export function plain(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

/** Answers what is not a WebSocket request for this server; `null` lets it pass. */
export function refuseRequest(request: Request, url: URL, { path, origins }: Gate): Response | null {
  if (url.searchParams.has("EIO")) {
    return plain(
      400,
      "This is a maim_message WebSocket server; the caller speaks Socket.IO (maim_message 0.7 or newer)",
    );
  }
  if (url.pathname !== path) return plain(404, `Nothing here; the WebSocket is at ${path}`);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return plain(426, "Connect with a WebSocket client", { upgrade: "websocket", connection: "upgrade" });
  }
  const origin = request.headers.get("origin");
  if (origin !== null && !origins.includes(origin) && !origins.includes("*")) {
    return plain(403, "Web pages are refused unless their origin is listed in 'origins'");
  }
  return null;
}

async function isAllowed(request: Request, platform: string, { authorize }: Gate): Promise<boolean> {
  if (authorize === undefined) return true;
  const answer = await authorize(request);
  return typeof answer === "object" ? answer.platforms.includes(platform) : answer === true;
}

/** Reads who is calling; a Response when the name can not be used. */
export async function readCaller(request: Request, url: URL, address: string, gate: Gate): Promise<Caller | Response> {
  const { headers } = request;
  const named = headers.get("platform") || (gate.query ? url.searchParams.get("platform") : null);
  const platform = named || DEFAULT_PLATFORM;
  if (!/^[\x20-\x7e]+$/.test(platform)) return plain(400, "The platform name must be printable ASCII");
  const token = headers.get("authorization") ?? (gate.query ? url.searchParams.get("token") : null);
  const features = gate.features === null ? null : agreeOn(headers.get(HELLO_HEADER), gate.features);
  const isAuthorized = gate.tokens.admits(token) && await isAllowed(request, platform, gate);
  return { platform, address, features, isAuthorized };
}
