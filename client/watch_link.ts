import { Heartbeat } from "./heartbeat.ts";
import type { Link } from "./link.ts";
import { probe } from "./probe.ts";
import type { ClientSettings } from "./settings.ts";

/**
 * Creates the heartbeat of a link; `null` if the option `heartbeat` is off. The heartbeat asks the server by a ping, or,
 * if the server cannot be pinged, by an HTTP request beside the link.
 *
 * @param link The link.
 * @param settings Settings of the client.
 * @param answered Called when the server has answered an HTTP request.
 */
export function watchLink(
  link: Link,
  { heartbeat, ca, session }: ClientSettings,
  answered: () => void,
): Heartbeat | null {
  if (heartbeat === null) return null;
  const ask = async (signal: AbortSignal): Promise<void> => {
    const answer = await probe(link.url, { ca, offered: session.offered ?? [], signal });
    if (answer === null) return; // the heartbeat's timeout handles a missing answer
    if (link.session.isUnknown && answer.servesHello) {
      // The hello would have been the first frame, so nothing has passed this link since its handshake.
      return link.abandon("the server's hello did not arrive");
    }
    link.session.heard();
    link.heard();
    answered();
  };
  return new Heartbeat(heartbeat, {
    ask(signal) {
      if (link.session.ask({ isLast: false })) return true;
      if (heartbeat.probe) void ask(signal); // never rejects
      return heartbeat.probe;
    },
    get upload() {
      return link.upload;
    },
    get heardAt() {
      return link.heardAt;
    },
    dead: () => link.abandon("no answer to the heartbeat"),
  });
}
