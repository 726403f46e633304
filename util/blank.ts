/**
 * Tells whether a UTF-16 unit is white space for Python's `strip()`. JavaScript's `trim()` uses a different set of
 * characters.
 */
export function isPythonSpace(unit: number): boolean {
  if (unit <= 0x20) return (unit >= 0x09 && unit <= 0x0d) || unit >= 0x1c;
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  return unit === 0x1680 || (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029 ||
    unit === 0x202f || unit === 0x205f || unit === 0x3000;
}

/** Tells whether a text has only white space, or is empty. MaiBot, which is written in Python, treats both as empty. */
export function isBlank(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (!isPythonSpace(text.charCodeAt(index))) return false;
  return true;
}
