/**
 * A program for `transfers_long.ts`: a server that sends every streamed file back as it comes, and every small message.
 * @module
 */

import { createMessage, createReply, MessageConnectionError, MessageServer, type ServerStats } from "../../../mod.ts";
import { answerWith } from "../../long/soak/programs/answers.ts";

/** What became of the streams so far. */
export interface StreamTally {
  /** Begun and not ended. */
  readonly open: number;
  /** Sent back to the last byte, and read there. */
  readonly echoed: number;
  /** How the others ended: the code of a connection error, else the name of the error. */
  readonly failed: readonly string[];
}

/** What it answers. */
export interface TransferServerAnswers {
  listen(): string;
  state(): StreamTally & Pick<ServerStats, "peers" | "connections" | "queuedBytes" | "invalid">;
}

/** Names an error by what a caller would tell it by. */
export function outcomeOf(error: unknown): string {
  return error instanceof MessageConnectionError ? error.code : error instanceof Error ? error.name : typeof error;
}

if (import.meta.main) {
  const server = new MessageServer();
  const failed: string[] = [];
  let [open, echoed] = [0, 0];
  server.on("message", (message, peer) => peer.send(createReply(message, message.message_segment)));
  server.on("stream", async (_envelope, segments, peer) => {
    open++;
    try {
      for await (const segment of segments) {
        await peer.sendStream(createMessage({ platform: peer.platform, user: "server" }, segment));
        echoed++;
      }
    } catch (error) {
      failed.push(outcomeOf(error));
    }
    open--;
  });
  await answerWith<TransferServerAnswers>({
    listen: () => server.listen({ port: 0 }),
    state() {
      const { peers, connections, queuedBytes, invalid } = server.stats();
      return { open, echoed, failed, peers, connections, queuedBytes, invalid };
    },
  });
}
