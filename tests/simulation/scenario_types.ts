/**
 * A run as data: everything that is drawn. A scenario that was kept replays, however the drawing changes later.
 * @module
 */

import type { MessageClientOptions } from "../../client/options.ts";
import type { MessageServerOptions } from "../../server/options.ts";
import type { Flavour } from "./flavour.ts";

/** The network; the same between all processes. Times are milliseconds, sizes bytes. */
export interface NetworkSpec {
  readonly latency: number;
  readonly jitter: number;
  /** Bytes in a millisecond. */
  readonly bandwidth: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  /** Room that a character of a text takes: small messages stand for large ones. */
  readonly byteScale: number;
  /** A reset takes away what was received and not read. */
  readonly resetsDiscard: boolean;
}

/** What the handlers of a client do, besides telling the oracle. */
export interface ClientHandlers {
  /** Answers each message that is not an answer. */
  readonly replies?: boolean;
  /** Answers without catching what `send` throws. */
  readonly isCareless?: boolean;
  /** Sends a message at each change of the state. */
  readonly sendsOnStatus?: boolean;
  /** Sends a message at each drop, at most this often. */
  readonly sendsOnDrop?: number;
  /** Closes the client at this message, counted from 1. */
  readonly closesAt?: number;
}

export interface ClientSpec {
  readonly platform: string;
  readonly flavour: "deno" | "bun";
  readonly token?: string;
  readonly options: Pick<
    MessageClientOptions,
    "heartbeat" | "outbox" | "reconnect" | "connectTimeout" | "closeTimeout"
  >;
  readonly handlers: ClientHandlers;
}

/** What the handlers of our server do. */
export interface ServerHandlers {
  readonly replies?: boolean;
  /** Messages sent to each new peer. */
  readonly greets?: number;
  readonly sendsOnDrop?: number;
  /** Closes the connection at this message of the whole server, counted from 1. */
  readonly closesPeerAt?: number;
  readonly closeCode?: number;
  /** Forwards each message that is not an answer to this platform. */
  readonly forwardsTo?: string;
}

export interface OurServerSpec {
  readonly kind: "ours";
  readonly flavour: "deno" | "bun";
  readonly options: Pick<
    MessageServerOptions,
    "tokens" | "duplicates" | "idleTimeout" | "hello" | "closeTimeout" | "limits" | "refuse"
  >;
  readonly handlers: ServerHandlers;
}

/** maim_message 0.6.8, or a server that agrees on pings and does not answer them. */
export interface PythonServerSpec {
  readonly kind: "python";
  readonly flavour: Flavour["name"] & "python";
  readonly tokens?: readonly string[];
  /** Messages that are read after the server's close frame are handled. */
  readonly handlesAfterClose: boolean;
  /** Says hello, and never answers a ping. */
  readonly isMute?: boolean;
  /** Milliseconds between two messages that it sends by itself; 0 for none. */
  readonly talks?: number;
}

export type ServerSpec = OurServerSpec | PythonServerSpec;

/** A process: the number of a client, or the server. */
export type Who = number | "server";
export type Direction = "up" | "down" | "both";

/** What happens, besides what handlers do. `at` is in milliseconds. */
export type Step =
  & { readonly at: number }
  & (
    | {
      readonly do: "send";
      readonly who: Who;
      readonly count: number;
      readonly size: number;
      readonly how: "send" | "custom" | "broadcast" | "peer";
      /** Platform that the server sends to. */
      readonly to?: string;
    }
    | { readonly do: "flush" | "close" | "newClient"; readonly who: number }
    | { readonly do: "closeServer" | "removeToken" }
    | { readonly do: "restartServer"; readonly pause: number }
    | { readonly do: "cut"; readonly who: number; readonly direction: Direction; readonly losesInFlight: boolean }
    | { readonly do: "cutHello"; readonly who: number; readonly direction: "down" | "both" }
    | { readonly do: "reset" | "fin"; readonly who: number }
    | { readonly do: "outage" | "stall"; readonly ms: number }
    | { readonly do: "freeze"; readonly who: Who; readonly ms: number }
    | { readonly do: "slow"; readonly who: Who; readonly delay: number; readonly ms: number }
    | { readonly do: "kill"; readonly who: Who; readonly pause: number | null }
    | { readonly do: "intruders"; readonly count: number }
    | { readonly do: "closePeer"; readonly who: number; readonly code: number }
  );

export type StepName = Step["do"];

export interface Scenario {
  /** For the jitter, and for `Math.random`. */
  readonly seed: number;
  readonly network: NetworkSpec;
  readonly server: ServerSpec;
  readonly clients: readonly ClientSpec[];
  readonly steps: readonly Step[];
  /** When everything that is still alive is closed. */
  readonly endAt: number;
}
