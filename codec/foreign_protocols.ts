import { hasMember } from "../util/values.ts";

/**
 * Returns a hint if a value looks like a message of another protocol; otherwise undefined. The hint says which program
 * is probably connected by mistake. It becomes the end of an error text.
 */
export function foreignHint(value: unknown): string | undefined {
  if (hasMember(value, "post_type") || hasMember(value, "self_id")) {
    return "this is a OneBot event: connect OneBot to an adapter, not to a maim_message server";
  }
  if (hasMember(value, "msg_id") && hasMember(value, "payload")) {
    return "this is a message for the API-server of maim_message: connect to the port of its legacy WebSocket server";
  }
  return undefined;
}
