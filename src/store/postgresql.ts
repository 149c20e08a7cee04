import { Kysely, PostgresDialect } from "kysely";
import { CctvError } from "../errors.ts";
import type { Schema } from "./schema.ts";

const MOST_CONNECTIONS = 4;
const CONNECT_MS = 5_000;
/** A server that hangs must not hang who asks. */
const QUERY_MS = 10_000;

/**
 * Prepares connections to a PostgreSQL server; the first query makes the first.
 * @param connectionString `postgresql://user:password@host:5432/database`, with PostgreSQL's own parameters
 * @throws CctvError SETTING_INVALID
 */
export async function openPostgresql(connectionString: string): Promise<Kysely<Schema>> {
  if (!/^postgres(?:ql)?:\/\//i.test(connectionString)) throw notReadable();
  const { default: pg } = await import("pg");
  const pool = createPool();
  // An idle connection that breaks is replaced with the next query; unheard, its error would end the process.
  pool.on("error", () => undefined);
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });

  function createPool() {
    try {
      // It reads the connection string when it connects, and throws where nobody could catch it.
      new pg.Client({ connectionString });
      return new pg.Pool({
        connectionString,
        max: MOST_CONNECTIONS,
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: QUERY_MS,
        keepAlive: true,
      });
    } catch {
      throw notReadable();
    }
  }
}

/** Holds nothing of the string, which may hold a password. */
function notReadable(): CctvError {
  return new CctvError(
    "SETTING_INVALID",
    "the PostgreSQL connection string cannot be read; write it as postgresql://user:password@host:5432/database, with special characters of the password percent-encoded",
  );
}
