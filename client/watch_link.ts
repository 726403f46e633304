import { Heartbeat } from "./heartbeat.ts";
import type { Link } from "./link.ts";
import { probe } from "./probe.ts";
import type { ClientSettings } from "./settings.ts";

/**
 * Asks the server of a link for an answer by an HTTP request beside the link. Never rejects.
 *
 * @param link The link. If its server is of this library and the hello did not arrive, the link is abandoned.
 * @param settings Settings of the client.
 * @param signal Aborts the request.
 * @returns True if the server has answered and the link is not abandoned.
 */
export async function askBeside(link: Link, { ca, session }: ClientSettings, signal: AbortSignal): Promise<boolean> {
  const answer = await probe(link.url, { ca, offered: session.offered ?? [], signal });
  if (answer === null) return false;
  if (link.session.isUnknown && answer.servesHello) {
    // The hello would have been the first frame, so nothing has passed this link since its handshake.
    link.abandon("the server's hello did not arrive");
    return false;
  }
  link.session.heard();
  link.heard();
  return true;
}

/**
 * Creates the heartbeat of a link; `null` if the option `heartbeat` is off. The heartbeat asks the server by a ping, or,
 * if the server cannot be pinged, by an HTTP request beside the link.
 *
 * @param link The link.
 * @param settings Settings of the client.
 * @param answered Called when the server has answered an HTTP request.
 */
export function watchLink(link: Link, settings: ClientSettings, answered: () => void): Heartbeat | null {
  const { heartbeat } = settings;
  if (heartbeat === null) return null;
  const ask = async (signal: AbortSignal): Promise<void> => {
    // The heartbeat's timeout handles a missing answer.
    if (await askBeside(link, settings, signal)) answered();
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
