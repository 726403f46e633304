import type { Timer } from "../runtime/clock.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Link } from "./link.ts";
import type { ClientStatus } from "./status.ts";

/** Those who wait for the link to become usable; all share one promise. */
export interface Waiter extends PromiseWithResolvers<void> {
  callers: number;
}

/** Dialling, or waiting to learn whether the server lets us in. */
export interface Connecting {
  readonly state: "connecting";
  readonly attempt: number;
  readonly waiter: Waiter;
  /** Whether failure leads straight back to `idle`: the dial of a `connect()` without `retry`. */
  isOnce: boolean;
  /** When the connection before this one was lost; absent before the first. */
  readonly lostAt: number | undefined;
  link: Link | null;
}

/** Usable. */
export interface Open {
  readonly state: "open";
  readonly attempt: number;
  readonly link: Link;
  readonly heartbeat: Heartbeat | null;
  readonly since: number;
  readonly gap?: number;
}

/** Waiting to dial again. */
export interface Waiting {
  readonly state: "waiting";
  readonly attempt: number;
  readonly delay: number;
  readonly reason: MessageConnectionError;
  readonly waiter: Waiter;
  readonly lostAt: number | undefined;
  readonly timer: Timer;
}

/** What a connection holds in each state. */
export type Live =
  | { readonly state: "idle"; readonly reason?: MessageConnectionError }
  | Connecting
  | Open
  | Waiting
  | { readonly state: "closing"; readonly link: Link; readonly done: PromiseWithResolvers<void>; readonly timer: Timer }
  | { readonly state: "closed"; readonly reason?: MessageConnectionError };

/** Makes a promise for those who wait; nobody need wait for it. */
export function newWaiter(): Waiter {
  const waiter = { ...Promise.withResolvers<void>(), callers: 0 };
  waiter.promise.catch(() => {}); // nobody may be waiting during a reconnect: `status` tells
  return waiter;
}

/** What users see of a state. */
export function statusOf(live: Live): ClientStatus {
  switch (live.state) {
    case "connecting":
      return { state: "connecting", attempt: live.attempt };
    case "open":
      return live.gap === undefined ? { state: "open" } : { state: "open", gap: live.gap };
    case "waiting":
      return { state: "waiting", attempt: live.attempt, delay: live.delay, reason: live.reason };
    case "closing":
      return { state: "closing" };
    default:
      return live.reason === undefined ? { state: live.state } : { state: live.state, reason: live.reason };
  }
}
