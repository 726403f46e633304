/** An adapter sends the bot's own messages back to it: a fake stops answering in that chat. */
export class LoopError extends Error {
  /** Creates the error. */
  constructor() {
    super(
      "The adapter sends the bot's own messages back: no more answers in this chat until somebody else writes. " +
        "message_info.user_info of a message of MaiBot's is the bot: take the recipient from replyTarget(message), and " +
        "do not forward what the bot has sent",
    );
    this.name = "LoopError";
  }
}
