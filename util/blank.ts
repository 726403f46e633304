/** Tells whether Python's `strip()` takes a UTF-16 unit for white space; `trim()` takes others. */
export function isPythonSpace(unit: number): boolean {
  if (unit <= 0x20) return (unit >= 0x09 && unit <= 0x0d) || unit >= 0x1c;
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  return unit === 0x1680 || (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029 ||
    unit === 0x202f || unit === 0x205f || unit === 0x3000;
}

/** Tells whether MaiBot, which is written in Python, finds nothing in a text. */
export function isBlank(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (!isPythonSpace(text.charCodeAt(index))) return false;
  return true;
}
