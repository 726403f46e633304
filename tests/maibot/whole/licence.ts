/**
 * MaiBot's licence, which a person accepts: nothing here does it in their place.
 * @module
 */

import { join } from "node:path";
import process from "node:process";

/** The texts of MaiBot, and the variable by which a person agrees to each. */
const TEXTS: Readonly<Record<string, string>> = { "EULA.md": "EULA_AGREE", "PRIVACY.md": "PRIVACY_AGREE" };

/** Says what a person has to read and to set before MaiBot may be started; null if that is done. */
export function licenceIssue(resources: string): string | null {
  const open = Object.entries(TEXTS).filter(([, variable]) => (process.env[variable] ?? "") === "");
  if (open.length === 0) return null;
  return [
    "MaiBot does not start before a person has accepted its licence. Read:",
    ...open.map(([name]) => `  ${join(resources, name)}`),
    "If you agree, set the MD5 sum of each text (`md5sum FILE` prints it), and run this task again:",
    ...open.map(([name, variable]) => `  ${variable}  MD5 sum of ${name}`),
  ].join("\n");
}
