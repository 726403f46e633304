import { runtime } from "../runtime/mod.ts";
import { checkToken, checkUrl, type ClientSettings } from "./settings.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { HELLO_HEADER, helloHeader } from "../session/hello.ts";

/** Where to dial and with which headers, or why that is not known. */
export type Target = { readonly url: string; readonly headers: Record<string, string> } | MessageConnectionError;

/** What a client is told to dial. */
export type UrlOption = string | (() => string | Promise<string>);

async function ask(url: UrlOption, settings: ClientSettings): Promise<Target> {
  const { platform, token, headers, session } = settings;
  const place = typeof url === "function" ? checkUrl(await url()) : url;
  const secret = checkToken(typeof token === "function" ? await token() : token ?? "");
  return {
    url: place,
    headers: {
      ...headers,
      platform,
      ...(secret === "" ? {} : { authorization: secret }),
      [HELLO_HEADER]: helloHeader(session.offered ?? []),
    },
  };
}

/** Asks the functions of the options, fresh for each dial; one that never answers must not hold the client up. */
export async function findTarget(url: UrlOption, settings: ClientSettings): Promise<Target> {
  const timeout = settings.connectTimeout;
  const late = Promise.withResolvers<Target>();
  const text =
    `Cannot connect as the functions given for 'url' and 'token' must answer within ${timeout} ms: no answer`;
  const timer = runtime.after(timeout, () => late.resolve(new MessageConnectionError("timeout", text)));
  try {
    return await Promise.race([ask(url, settings), late.promise]);
  } catch (cause) {
    const text = "Cannot connect as the functions given for 'url' and 'token' must succeed: see cause";
    return new MessageConnectionError("refused", text, { cause });
  } finally {
    runtime.cancel(timer);
  }
}
