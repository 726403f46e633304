/**
 * The states of a connection, with the objects and timers that belong to each state.
 * @module
 */

import type { Timer } from "../runtime/clock.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Closing } from "./closing.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Link } from "./link.ts";
import type { ClientStatus } from "./status.ts";

/** A promise for all callers that wait until the connection is open. */
export interface Waiter extends PromiseWithResolvers<void> {
  /** Number of callers that wait. */
  callers: number;
}

/** State: the client dials, or waits to learn whether the server accepts it. */
export interface Connecting {
  readonly state: "connecting";
  readonly attempt: number;
  readonly waiter: Waiter;
  /** True for a `connect()` without `retry`: if this attempt fails, the client does not try again. */
  isOnce: boolean;
  /** Time at which the previous connection was lost; `undefined` before the first connection. */
  readonly lostAt: number | undefined;
  link: Link | null;
}

/** State: the connection is open. */
export interface Open {
  readonly state: "open";
  readonly attempt: number;
  readonly link: Link;
  readonly heartbeat: Heartbeat | null;
  readonly since: number;
  readonly gap?: number;
}

/** State: the client waits before the next dial. */
export interface Waiting {
  readonly state: "waiting";
  readonly attempt: number;
  readonly delay: number;
  readonly reason: MessageConnectionError;
  readonly waiter: Waiter;
  readonly lostAt: number | undefined;
  readonly timer: Timer;
}

/** State of a connection, with the objects and timers that belong to it. */
export type Life =
  | { readonly state: "idle"; readonly reason?: MessageConnectionError }
  | Connecting
  | Open
  | Waiting
  | Closing
  | { readonly state: "closed"; readonly reason?: MessageConnectionError };

/** Creates a waiter. */
export function newWaiter(): Waiter {
  const waiter = { ...Promise.withResolvers<void>(), callers: 0 };
  waiter.promise.catch(() => {}); // not an unhandled rejection: a failed reconnect is reported as a `status` event
  return waiter;
}

/** Returns the public status for a state. */
export function statusOf(life: Life): ClientStatus {
  switch (life.state) {
    case "connecting":
      return { state: "connecting", attempt: life.attempt };
    case "open":
      return life.gap === undefined ? { state: "open" } : { state: "open", gap: life.gap };
    case "waiting":
      return { state: "waiting", attempt: life.attempt, delay: life.delay, reason: life.reason };
    case "closing":
      return { state: "closing" };
    default:
      return life.reason === undefined ? { state: life.state } : { state: life.state, reason: life.reason };
  }
}
