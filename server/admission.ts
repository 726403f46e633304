import { agreeOn, HELLO_HEADER, SERVES_HELLO } from "../session/hello.ts";
import type { LimitName } from "./options.ts";
import type { RefusalCause } from "./refusals.ts";
import type { ServerSettings } from "./settings.ts";
import type { TokenSet } from "./tokens.ts";

/** Rules that a request must pass before it becomes a connection. */
export interface AdmissionRules extends Pick<ServerSettings, "path" | "origins" | "query" | "features"> {
  readonly tokens: TokenSet;
}

/** Response that refuses a request, and the cause. */
export interface Refused {
  readonly cause: RefusalCause;
  readonly response: Response;
  /** The limit that was reached, if one was. */
  readonly limit?: LimitName;
}

/** A request that wants to become a connection. */
export interface Handshake {
  readonly request: Request;
  /** URL of the request. */
  readonly url: URL;
  /** IP address of the caller. */
  readonly address: string;
}

/** The caller of a handshake. It is read before the upgrade, because Deno cannot read headers after the upgrade. */
export interface Caller {
  /** Platform by which messages are routed to the caller; `"default"` if the caller gave no platform. */
  readonly platform: string;
  readonly address: string;
  /** Features that both sides agreed on with the hello header; `null` if there was no agreement. */
  readonly features: readonly string[] | null;
  /** True if the caller's token is accepted, and `authorize` has not refused the caller. */
  readonly isAuthorized: boolean;
}

/** Platform of callers that give no platform. Source: the seed; maim_message 0.3.0. */
export const DEFAULT_PLATFORM = "default";

/** Creates a response whose body is one line of text. */
export function textResponse(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

/** Refuses a request with one line of text. */
export function refuse(
  cause: RefusalCause,
  status: number,
  line: string,
  headers: Record<string, string> = {},
): Refused {
  return { cause, response: textResponse(status, line, headers) };
}

/** Refuses a request that is not a WebSocket request for this server; otherwise returns `null`. */
export function refuseRequest(request: Request, url: URL, { path, origins }: AdmissionRules): Refused | null {
  if (url.searchParams.has("EIO")) {
    const text = "This server speaks plain WebSocket, not Socket.IO";
    return refuse("socket_io", 400, `${text}; use maim_message 0.6.8 (0.7 and newer use Socket.IO)`);
  }
  if (url.pathname !== path) return refuse("path", 404, `Not found; the WebSocket is at ${path}`);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    const headers = { upgrade: "websocket", connection: "upgrade" };
    return refuse("not_websocket", 426, "This is a WebSocket; connect with a WebSocket client", headers);
  }
  const origin = request.headers.get("origin");
  if (origin !== null && !origins.includes(origin) && !origins.includes("*")) {
    return refuse("origin", 403, "Web pages are refused; list the page's origin in the server option 'origins'");
  }
  return null;
}

/** Returns the features that the hello header of a request agrees on; `null` if nothing was agreed on. */
function agreedFeatures({ headers }: Request, { features }: AdmissionRules): readonly string[] | null {
  return features === null ? null : agreeOn(headers.get(HELLO_HEADER), features);
}

/**
 * Adds the hello header to the answer to a plain HTTP request, if a WebSocket with the same headers would get a hello.
 * The client then knows that it should have received one.
 */
export function addHelloHeader(answer: Response, request: Request, url: URL, rules: AdmissionRules): void {
  if (url.pathname !== rules.path || agreedFeatures(request, rules) === null) return;
  answer.headers.set(HELLO_HEADER, SERVES_HELLO);
}

/** Reads the caller from a handshake. Refuses the caller if the platform name is not valid. */
export function readCaller({ request, url, address }: Handshake, rules: AdmissionRules): Caller | Refused {
  const { headers } = request;
  const named = headers.get("platform") || (rules.query ? url.searchParams.get("platform") : null);
  const platform = named || DEFAULT_PLATFORM;
  if (!/^[\x20-\x7e]+$/.test(platform)) {
    return refuse("platform_name", 400, "The platform name must be printable ASCII");
  }
  const token = headers.get("authorization") ?? (rules.query ? url.searchParams.get("token") : null);
  const features = agreedFeatures(request, rules);
  return { platform, address, features, isAuthorized: rules.tokens.admits(token) };
}
