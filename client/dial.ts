import { runtime } from "../runtime/mod.ts";
import { checkToken, checkUrl, type MessageClientOptions } from "./options.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { HELLO_HEADER, helloHeader, offeredFeatures } from "../session/hello.ts";

/** Where to dial and with which headers, or why that is not known. */
export type Target = { readonly url: string; readonly headers: Record<string, string> } | MessageConnectionError;

type UrlOption = string | (() => string | Promise<string>);

async function ask(url: UrlOption, options: MessageClientOptions): Promise<Target> {
  const { platform, token, headers } = options;
  const place = typeof url === "function" ? checkUrl(await url()) : url;
  const secret = checkToken(typeof token === "function" ? await token() : token ?? "");
  return {
    url: place,
    headers: {
      ...headers,
      platform,
      ...(secret === "" ? {} : { authorization: secret }),
      [HELLO_HEADER]: helloHeader(offeredFeatures(options)),
    },
  };
}

/** Asks the functions of the options, fresh for each dial; one that never answers must not hold the client up. */
export async function findTarget(url: UrlOption, options: MessageClientOptions, timeout: number): Promise<Target> {
  const late = Promise.withResolvers<Target>();
  const text =
    `Cannot connect as the functions given for 'url' and 'token' must answer within ${timeout} ms: no answer`;
  const timer = runtime.after(timeout, () => late.resolve(new MessageConnectionError("timeout", text)));
  try {
    return await Promise.race([ask(url, options), late.promise]);
  } catch (cause) {
    const text = "Cannot connect as the functions given for 'url' and 'token' must succeed: see cause";
    return new MessageConnectionError("refused", text, { cause });
  } finally {
    runtime.cancel(timer);
  }
}
