import type { CustomMessage, MessageBase, WireMessage } from "./rules.ts";

/** Tells the two kinds of message apart where the walk has passed already, or will pass yet: it proves nothing else. */
export function isCustom(message: WireMessage): message is CustomMessage {
  return (message as CustomMessage).is_custom_message === true && Object.hasOwn(message, "is_custom_message");
}

/** The platform a message goes to or comes from; empty where it names none. */
export function platformOf(message: WireMessage): string {
  if (isCustom(message)) return message.platform ?? "";
  return (message as Partial<MessageBase>).message_info?.platform ?? "";
}
