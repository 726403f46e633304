import type { MessageConnectionError } from "../util/connection_error.ts";

/** Where a client stands. */
export type ClientStatus =
  | {
    /** Not connected, nothing under way. */
    readonly state: "idle";
    /** Why the last attempt failed. */
    readonly reason?: MessageConnectionError;
  }
  | {
    /** Dialling, or upgraded and not yet known to be welcome. */
    readonly state: "connecting";
    /** 0 for the dial of `connect()`, then the number of the new dial; starts from 1 after a stable connection. */
    readonly attempt: number;
  }
  | {
    /** Usable. */
    readonly state: "open";
    /** Milliseconds since the connection before this one was lost; absent for the first. */
    readonly gap?: number;
  }
  | {
    /** Waiting to dial again. */
    readonly state: "waiting";
    /** Number of the new dial to come. */
    readonly attempt: number;
    /** Milliseconds until then. */
    readonly delay: number;
    /** What ended the last connection or dial. */
    readonly reason: MessageConnectionError;
  }
  | {
    /** Saying goodbye. */
    readonly state: "closing";
  }
  | {
    /** Down for good. */
    readonly state: "closed";
    /** What made it so; absent after `close()`. */
    readonly reason?: MessageConnectionError;
  };
