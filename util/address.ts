/** An address to listen on. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Checks an address to listen on.
 *
 * @throws {RangeError} If the port is out of range.
 * @throws {TypeError} If there is no host name.
 */
export function checkAddress({ hostname, port }: ListenAddress): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`'port' must be from 0 to 65535, where 0 picks a free one; received ${port}`);
  }
  if (typeof hostname !== "string" || hostname === "") {
    throw new TypeError("'hostname' must be an address, such as 127.0.0.1, or 0.0.0.0 for every interface");
  }
}

/** Returns the host that clients dial if the server listens on `hostname`: `0.0.0.0` and `::` cannot be dialled. */
export function dialableHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::" || hostname === "[::]") return "[::1]";
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
