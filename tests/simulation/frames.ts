/** Headers and path of an HTTP request, as far as a server of this protocol reads them. */
export interface RequestHead {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes through a connection. `fin` and `reset` are the end of TCP. */
export type Frame =
  | { readonly kind: "request"; readonly head: RequestHead }
  | { readonly kind: "response"; readonly status: number; readonly serves: string | null; readonly body: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ping"; readonly payload: string }
  | { readonly kind: "pong"; readonly payload: string }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  | { readonly kind: "fin" }
  | { readonly kind: "reset" };

/** Bytes of a frame in a kernel buffer. Texts are ASCII in a run; `scale` makes small ones take the room of large ones. */
export function sizeOf(frame: Frame, scale: number): number {
  switch (frame.kind) {
    case "text":
      return frame.text.length * scale + 6;
    case "request":
      return 400;
    case "response":
      return 150 + frame.body.length;
    default:
      return 8;
  }
}
