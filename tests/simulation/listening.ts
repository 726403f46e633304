import type { Fetch, SocketLimits } from "../../runtime/types.ts";
import type { Process } from "./process.ts";

/** A server that listens on a port. */
export interface Listening {
  readonly process: Process;
  readonly limits: SocketLimits;
  readonly fetch: Fetch;
}
