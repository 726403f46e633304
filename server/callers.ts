import { runtime } from "../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../runtime/types.ts";
import { CLOSE } from "../util/close_codes.ts";
import {
  addHelloHeader,
  type AdmissionRules,
  type Caller,
  readCaller,
  refuse,
  type Refused,
  refuseRequest,
} from "./admission.ts";
import { askAuthorize } from "./authorize.ts";
import type { LimitReached } from "./events.ts";
import { Places } from "./places.ts";
import { type Refusal, Refusals } from "./refusals.ts";
import type { ServerSettings } from "./settings.ts";
import type { TokenSet } from "./tokens.ts";
import { WrongTokens } from "./wrong_tokens.ts";

/** A caller that holds a socket: the server's peer. */
export interface Holder extends SocketEvents {
  readonly address: string;
}

/** What {@linkcode Callers} needs from its server. */
export interface CallersHost<Peer extends Holder> {
  /** True if the server takes no more callers. */
  readonly isClosed: () => boolean;
  /** Creates the peer of a socket that was just accepted. */
  readonly createPeer: (socket: ServerSocket, caller: Caller) => Peer;
  readonly limit: (reached: LimitReached) => void;
  readonly refused: (refusal: Refusal) => void;
  /** `authorize` has failed. */
  readonly failed: (error: unknown) => void;
}

type Authorize = NonNullable<ServerSettings["authorize"]>;

/** Header of a response that refuses a caller for the moment. */
const RETRY = { "retry-after": "10" };

/** The callers of one server, from the HTTP request until their socket is gone. */
export class Callers<Peer extends Holder> {
  /** Numbers for `stats()`. */
  readonly counts = { unauthorized: 0, refused: 0, authorizing: 0 };
  readonly places: Places<Peer>;
  readonly #settings: ServerSettings;
  readonly #rules: AdmissionRules;
  readonly #host: CallersHost<Peer>;
  readonly #wrongTokens: WrongTokens;
  readonly #refusals = new Refusals();

  constructor(settings: ServerSettings, tokens: TokenSet, host: CallersHost<Peer>) {
    this.#settings = settings;
    this.#rules = { ...settings, tokens };
    this.#host = host;
    this.#wrongTokens = new WrongTokens(settings.limits.wrongTokens);
    this.places = new Places(settings.limits);
  }

  /** Answers one HTTP request: upgrades it to a WebSocket, or refuses it with one line of text. */
  async answer(request: Request, info: unknown): Promise<Response> {
    const address = runtime.address(request, info);
    const url = URL.parse(request.url);
    if (url === null) return this.#refuse({ address }, refuse("host", 400, "Invalid Host header"));
    const response = await this.#answerUrl(request, url, address, info);
    if (response.status !== 101) addHelloHeader(response, request, url, this.#rules);
    return response;
  }

  async #answerUrl(request: Request, url: URL, address: string, info: unknown): Promise<Response> {
    const refused = refuseRequest(request, url, this.#rules);
    if (refused !== null) return this.#refuse({ address }, refused);
    if (this.#wrongTokens.isBlocked(address)) {
      return this.#refuse({ address }, refuse("blocked", 429, "Too many wrong tokens; wait and try again"));
    }
    const caller = readCaller({ request, url, address }, this.#rules);
    if ("cause" in caller) return this.#refuse({ address }, caller);
    const full = this.#refuseWhenClosed(caller) ?? (caller.isAuthorized ? this.#refuseWhenFull(caller) : null);
    if (full !== null) return full;
    if (!caller.isAuthorized) return this.#turnOut(caller, "token", request, info);
    const { authorize } = this.#settings;
    if (authorize === undefined) return this.#upgrade(caller, request, info);
    return await this.#authorize(caller, authorize, request, info);
  }

  /** The server has refused a caller: counts it, and reports it unless there were too many. */
  report(refusal: Omit<Refusal, "omitted">): void {
    this.counts.refused++;
    const reported = this.#refusals.count(refusal);
    if (reported !== null) this.#host.refused(reported);
  }

  #refuse(
    { address, platform }: { readonly address: string; readonly platform?: string },
    { cause, limit, response }: Refused,
  ): Response {
    this.report({
      address,
      cause,
      code: response.status,
      ...(platform === undefined ? {} : { platform }),
      ...(limit === undefined ? {} : { limit }),
    });
    return response;
  }

  #refuseWhenClosed(caller: Caller): Response | null {
    return this.#host.isClosed() ? this.#refuse(caller, refuse("closing", 503, "The server is closing")) : null;
  }

  #refuseWhenFull(caller: Caller): Response | null {
    const limit = this.places.limitFor(caller.address);
    if (limit === null) return null;
    this.#host.limit({ limit, address: caller.address });
    const refused = refuse("full", 503, "Too many connections; try again later", RETRY);
    return this.#refuse(caller, { ...refused, limit });
  }

  /** Asks `authorize` about a caller. The caller has a place in `limits.connections` meanwhile. */
  async #authorize(caller: Caller, authorize: Authorize, request: Request, info: unknown): Promise<Response> {
    const { address, platform } = caller;
    this.counts.authorizing++;
    this.places.take(address);
    const authorized = await askAuthorize(authorize, { request, platform, timeout: this.#settings.authorizeTimeout });
    // The place is free for a moment only: #upgrade() takes it again before any other request is handled.
    this.places.free(address);
    this.counts.authorizing--;
    if ("error" in authorized) this.#host.failed(authorized.error);
    switch (authorized.verdict) {
      case "accepted":
        return this.#refuseWhenClosed(caller) ?? this.#upgrade(caller, request, info);
      case "refused":
        return this.#turnOut({ ...caller, isAuthorized: false }, "authorize", request, info);
      case "late":
        return this.#refuse(caller, refuse("authorize", 503, "The check of this caller took too long", RETRY));
      case "failed":
        return this.#refuse(caller, refuse("authorize", 500, "The server failed; see its log"));
    }
  }

  /** Refuses an unauthorized caller: with a close frame, which every client can read, or by HTTP. */
  #turnOut(caller: Caller, cause: "token" | "authorize", request: Request, info: unknown): Response {
    const { address, platform } = caller;
    this.counts.unauthorized++;
    if (this.#wrongTokens.add(address)) this.#host.limit({ limit: "wrongTokens", address });
    const unauthorized = refuse(cause, 401, CLOSE.unauthorized.reason);
    if (this.#settings.refuse === "http") return this.#refuse(caller, unauthorized);
    if (!this.places.canTurnOut) {
      this.#host.limit({ limit: "turnedOut", address });
      return this.#refuse(caller, { ...unauthorized, limit: "turnedOut" });
    }
    const response = this.#upgrade(caller, request, info);
    if (response.status === 101) this.report({ address, platform, cause, code: CLOSE.unauthorized.code });
    return response;
  }

  /** Accepts the WebSocket. The peer of an unauthorized caller closes it as soon as it is open. */
  #upgrade(caller: Caller, request: Request, info: unknown): Response {
    const response = runtime.upgrade(request, info, this.#settings.socket, (socket) => {
      const peer = this.#host.createPeer(socket, caller);
      if (caller.isAuthorized) this.places.take(caller.address);
      else this.places.addTurnedOut(peer);
      return peer;
    });
    const text = "Invalid WebSocket handshake; connect with a WebSocket client";
    return response ?? this.#refuse(caller, refuse("not_websocket", 426, text));
  }
}
