import { chmod, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type DialectAdapter, Kysely, SqliteAdapter, SqliteDialect } from "kysely";
import { CctvError } from "../errors.ts";
import { GuardedSqlite } from "./guarded-sqlite.ts";
import type { Schema } from "./schema.ts";

/** How long a write waits for another program that holds the file, milliseconds; all of Node-RED waits with it. */
const BUSY_MS = 3_000;

/**
 * Opens a SQLite file, made with its folder where there is none, for its owner's eyes only. A write that was
 * acknowledged is on the disk: https://www.sqlite.org/pragma.html#pragma_synchronous
 *
 * @throws CctvError STORE_FAILED, or the driver's own error
 */
export async function openSqlite(path: string): Promise<Kysely<Schema>> {
  const Database = await loadDriver();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would make it for everybody; its journals take after it.
  const file = await open(path, "a", 0o600);
  await file.close();
  await chmod(path, 0o600);
  const database = new Database(path, { timeout: BUSY_MS });
  try {
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
  } catch (error) {
    database.close();
    throw error;
  }
  return new Kysely<Schema>({ dialect: new WholeMigrationsDialect({ database: new GuardedSqlite(database) }) });
}

async function loadDriver(): Promise<typeof import("libsql")> {
  try {
    return (await import("libsql")).default;
  } catch (error) {
    throw new CctvError(
      "STORE_FAILED",
      `there is no SQLite for this machine (${process.platform} on ${process.arch}); install the package again without --omit=optional, or use PostgreSQL`,
      { cause: error },
    );
  }
}

/** SQLite changes tables within transactions; Kysely leaves it out, and a power cut would leave half a migration. */
class WholeMigrationsDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new WholeMigrationsAdapter();
  }
}

class WholeMigrationsAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
