import type { MessageConnectionError } from "../util/connection_error.ts";

/** State of a client. */
export type ClientStatus =
  | {
    /** Not connected, and not trying to connect. */
    readonly state: "idle";
    /** Error of the last attempt to connect. */
    readonly reason?: MessageConnectionError;
  }
  | {
    /**
     * Connecting: during the handshake, and for the short time after it until the server is known to accept the client.
     */
    readonly state: "connecting";
    /**
     * Number of the attempt: 0 for the first attempt of `connect()`. Further attempts count from 1, and start from 1
     * again after a stable connection.
     */
    readonly attempt: number;
  }
  | {
    /** Connected: messages can be sent. */
    readonly state: "open";
    /** Milliseconds since the previous connection was lost; missing for the first connection. */
    readonly gap?: number;
  }
  | {
    /** Waiting before the next attempt to connect. */
    readonly state: "waiting";
    /** Number of the next attempt. */
    readonly attempt: number;
    /** Milliseconds until the next attempt. */
    readonly delay: number;
    /** Error that ended the last connection or attempt. */
    readonly reason: MessageConnectionError;
  }
  | {
    /** Closing: the client sends the messages that wait, then does the closing handshake. */
    readonly state: "closing";
  }
  | {
    /** Closed for good. */
    readonly state: "closed";
    /** Error that made the client give up; missing after `close()`. */
    readonly reason?: MessageConnectionError;
  };
