import { runtime } from "../runtime/mod.ts";
import { HELLO_HEADER, helloHeader } from "../session/hello.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { checkToken, checkUrl, type ClientSettings } from "./settings.ts";

/** URL and headers of a dial; or an error, if the user's functions for them failed. */
export type Target = { readonly url: string; readonly headers: Record<string, string> } | MessageConnectionError;

/** The URL that a client dials, or a function that returns it. */
export type UrlOption = string | (() => string | Promise<string>);

async function buildTarget(urlOption: UrlOption, settings: ClientSettings): Promise<Target> {
  const { platform, token, headers, session } = settings;
  const url = typeof urlOption === "function" ? checkUrl(await urlOption()) : urlOption;
  const secret = checkToken(typeof token === "function" ? await token() : token ?? "");
  return {
    url,
    headers: {
      ...headers,
      platform,
      ...(secret === "" ? {} : { authorization: secret }),
      [HELLO_HEADER]: helloHeader(session.offered ?? []),
    },
  };
}

/**
 * Finds the URL and the headers of a dial. Calls the functions that the user gave as URL and token; together they may
 * take `connectTimeout`.
 */
export async function findTarget(url: UrlOption, settings: ClientSettings): Promise<Target> {
  const timeout = settings.connectTimeout;
  const late = Promise.withResolvers<Target>();
  const text = `The function given as 'url' or 'token' did not return within ${timeout} ms; see 'connectTimeout'`;
  const timer = runtime.after(timeout, () => late.resolve(new MessageConnectionError("timeout", text)));
  try {
    return await Promise.race([buildTarget(url, settings), late.promise]);
  } catch (cause) {
    const text = "The function given as 'url' or 'token' failed, or returned a wrong value; see the error's cause";
    return new MessageConnectionError("refused", text, { cause });
  } finally {
    runtime.cancel(timer);
  }
}
