import { encodeMessage } from "../codec.ts";
import type { DecodeOptions, MessageDecodeError } from "../codec.ts";
import { createCustom, type CustomMessage, type MessageBase, type WireMessage } from "../schema.ts";
import type { Caller } from "./admission.ts";
import { MessageConnectionError } from "./errors.ts";
import { helloMessage, refuseReserved } from "./hello.ts";
import { type InboundHandlers, receive } from "./inbound.ts";
import { runtime } from "./runtime.ts";
import type { ServerSocket } from "./socket.ts";
import { utf8Length } from "./utf8.ts";

/** One connected client, as handlers see it. */
export interface Peer {
  /** Counts the connections of this server, from 1. */
  readonly id: number;
  /** Name from the handshake; `"default"` when it gave none. A message of its may speak for another. */
  readonly platform: string;
  /** IP address of the caller, empty where the runtime does not tell. */
  readonly address: string;
  /** Bytes queued that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Sends one message to this connection, whatever its platform.
   *
   * @throws {MessageConnectionError} `closed` If the connection is ending.
   * @throws {MessageEncodeError} If the message can not be written.
   */
  send(message: WireMessage): void;
  /**
   * Sends a custom message to this connection.
   *
   * @throws {MessageConnectionError} `closed` If the connection is ending.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void;
  /** Ends the connection; the default is 1000 without a reason. */
  close(code?: number, reason?: string): void;
}

/** What a peer tells its server. */
export interface PeerEvents {
  /** Lets it in, or has closed it and returns false. */
  admit(peer: ServerPeer): boolean;
  /** It has been let in, and greeted. */
  open(peer: ServerPeer): void;
  message(message: MessageBase, peer: ServerPeer): void;
  custom(message: CustomMessage, peer: ServerPeer): void;
  invalid(error: MessageDecodeError, peer: ServerPeer): void;
  close(peer: ServerPeer, code: number, reason: string): void;
}

/** Milliseconds without a frame after which a peer is held to have stopped sending. */
const QUIET = 50;
/** Milliseconds after which a close frame is sent to a peer that never stops. */
const QUIET_LIMIT = 1000;

type Life =
  | { readonly state: "opening" }
  | { readonly state: "open" }
  | { readonly state: "quieting"; timer: ReturnType<typeof setTimeout> }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

/** How strictly frames are read. */
export interface PeerDecoding extends DecodeOptions {
  strict: boolean;
}

/** The server's end of one connection: its life, from the accepted handshake to the end of the socket. */
export class ServerPeer implements Peer {
  readonly id: number;
  readonly platform: string;
  readonly address: string;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  readonly #caller: Caller;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  readonly #decoding: PeerDecoding;
  readonly #inbound: InboundHandlers;
  readonly #resolveClosed: () => void;
  #life: Life = { state: "opening" };
  #lastFrame = 0;
  #isAdmitted = false;

  constructor(id: number, caller: Caller, socket: ServerSocket, events: PeerEvents, decoding: PeerDecoding) {
    this.id = id;
    this.platform = caller.platform;
    this.address = caller.address;
    this.#caller = caller;
    this.#socket = socket;
    this.#events = events;
    this.#decoding = decoding;
    this.#inbound = {
      message: (message) => events.message(message, this),
      custom: (message) => events.custom(message, this),
      own: (message) => this.#answer(message),
      invalid: (error) => this.#invalid(error),
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  get bufferedAmount(): number {
    return this.#socket.buffered;
  }

  // ---- what the runtime tells

  /** The handshake is done: sending is possible. */
  begin(): void {
    this.#lastFrame = performance.now();
    this.#life = { state: "open" };
    if (!this.#caller.isAuthorized) return this.close(1008, "Invalid or missing token");
    this.#isAdmitted = this.#events.admit(this);
    if (!this.#isAdmitted) return;
    const { features } = this.#caller;
    if (features !== null) this.#socket.send(encodeMessage(helloMessage(features, this.platform)));
    this.#events.open(this);
  }

  /** One frame; `null` is a binary one. Input of a caller that was not let in is never read. */
  take(text: string | null): void {
    this.#lastFrame = performance.now();
    if (this.#isAdmitted) receive(text, this.#decoding, this.#inbound);
  }

  /** The runtime's end of the socket; nothing follows it. */
  end(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    if (this.#life.state === "quieting") clearTimeout(this.#life.timer);
    this.#life = { state: "closed" };
    if (this.#isAdmitted) this.#events.close(this, code, reason);
    this.#resolveClosed();
  }

  // ---- what the server asks

  /** Queues one text; returns whether the peer could take it. */
  write(text: string): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  send(message: WireMessage): void {
    refuseReserved(message);
    const text = encodeMessage(message);
    if (!this.write(text)) {
      throw new MessageConnectionError("closed", `Cannot send message as peer ${this.id} must be open: it is closing`);
    }
  }

  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  close(code: number = 1000, reason: string = ""): void {
    if (!Number.isInteger(code) || code < 1000 || code > 4999) {
      throw new RangeError(`Cannot close peer as 'code' must be from 1000 to 4999: received ${code}`);
    }
    if (utf8Length(reason) > 123) throw new RangeError("Cannot close peer as 'reason' must take at most 123 bytes");
    if (this.#life.state !== "open") return;
    const deadline = performance.now() + QUIET_LIMIT;
    const check = () => {
      const rest = Math.min(this.#lastFrame + QUIET, deadline) - performance.now();
      if (rest <= 0 || !runtime.closeNeedsQuiet) return this.#closeNow(code, reason);
      this.#life = { state: "quieting", timer: setTimeout(check, Math.ceil(rest)) };
    };
    check();
  }

  #closeNow(code: number, reason: string): void {
    this.#life = { state: "closing" };
    this.#socket.close(code, reason);
  }

  #answer(message: CustomMessage): boolean {
    if (message.message_type_name !== "maim_ping" || !this.#caller.features?.includes("ping")) return false;
    this.write(encodeMessage(createCustom("maim_pong", message.content, this.platform)));
    return true;
  }

  #invalid(error: MessageDecodeError): void {
    this.#events.invalid(error, this);
    if (error.code === "too_large") this.close(1009, "Message too large");
    else if (this.#decoding.strict) this.close(1007, `Invalid message at ${error.path}`.slice(0, 120));
  }
}
