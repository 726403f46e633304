import { hasMember } from "../util/values.ts";

/**
 * Returns a hint if a value looks like a message of another protocol. The hint names the peer that is probably
 * connected by mistake.
 */
export function foreignHint(value: unknown): string | undefined {
  if (hasMember(value, "post_type") || hasMember(value, "self_id")) {
    return "this is a OneBot event: connect OneBot to an adapter, not to a maim_message server";
  }
  if (hasMember(value, "msg_id") && hasMember(value, "payload")) {
    return "this is an API-server envelope: use the legacy WebSocket port of the peer";
  }
  return undefined;
}
