/** HTTP header in which clients and servers of this library name their version. docs/extension.md describes it. */
export const HELLO_HEADER = "maim-hello";
