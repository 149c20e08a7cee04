import { maskAddresses } from "../camera/secrets.ts";
import { CctvError } from "../errors.ts";

/** What is wrong and what to do, by the codes of SQLite, of PostgreSQL (appendix A of its manual) and of the network. */
const EXPLANATIONS: readonly (readonly [codes: readonly string[], explanation: string])[] = [
  [
    ["SQLITE_NOTADB", "SQLITE_CORRUPT"],
    "the file is no SQLite database, or is damaged; move it away, or bring back a copy of it",
  ],
  [["SQLITE_BUSY", "SQLITE_LOCKED"], "another program holds the file; close it, and run one Node-RED for one file"],
  [["SQLITE_FULL", "SQLITE_IOERR", "53100"], "the disk is full or fails; make room on it"],
  [
    ["SQLITE_READONLY", "SQLITE_CANTOPEN", "EACCES", "EPERM", "EROFS", "EEXIST", "EISDIR", "ENOTDIR"],
    "see that its path is right and that Node-RED may write there",
  ],
  [["28P01", "28000"], "PostgreSQL refuses user or password; correct the connection string"],
  [["3D000"], "PostgreSQL has no such database; create it, or correct the connection string"],
  [["42501", "25006"], "PostgreSQL's user may not do this; let it create tables and write to them"],
  [["57P01", "57P02", "57P03", "53300"], "PostgreSQL is starting, stopping or full; it is tried again"],
  [
    ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOENT"],
    "PostgreSQL does not answer; see that it runs, and that host and port of the connection string are right",
  ],
];

/** Those that pass without anybody's doing. */
const PASSING = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOENT"],
  ...["57P01", "57P02", "57P03", "53300", "SQLITE_BUSY"],
]);

/** What the drivers throw without a code. */
const CODES_OF_WORDS: readonly (readonly [words: RegExp, code: string])[] = [
  [/^ConnectionFailed\(.*: 14"\)$/, "SQLITE_CANTOPEN"],
  [/timeout|terminated/i, "ETIMEDOUT"],
];

/** An error of a database as ours, with what to do about it; the error itself is its cause. */
export function storeFailure(error: unknown): CctvError {
  if (error instanceof CctvError) return error;
  const code = codeOf(error);
  const [, explanation = "look at the disk, its permissions, or the PostgreSQL server"] =
    EXPLANATIONS.find(([codes]) => codes.some((known) => code === known || code.startsWith(`${known}_`))) ?? [];
  const words = error instanceof Error ? error.message || code : String(error);
  return new CctvError("STORE_FAILED", `the camera database failed (${maskAddresses(words)}): ${explanation}`, {
    cause: error,
  });
}

/** Whether trying again later may help, as while PostgreSQL is starting. */
export function isPassing(failure: unknown): boolean {
  return failure instanceof CctvError && failure.code === "STORE_FAILED" && PASSING.has(codeOf(failure.cause));
}

function codeOf(error: unknown): string {
  const { code, errors, message } = (error ?? {}) as { code?: unknown; errors?: unknown[]; message?: unknown };
  if (typeof code === "string") return code;
  // One for each address of a host.
  if (Array.isArray(errors)) return codeOf(errors[0]);
  return CODES_OF_WORDS.find(([words]) => words.test(String(message)))?.[1] ?? "";
}
