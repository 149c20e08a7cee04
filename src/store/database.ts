import type { Kysely } from "kysely";
import { migrate } from "./migrations.ts";
import { openPostgresql } from "./postgresql.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";
import { storeFailure } from "./store-failure.ts";

/** Where everything that lasts is kept. */
export type DatabaseSettings =
  | { readonly kind: "sqlite"; readonly path: string }
  /** May hold a password: never log it. */
  | { readonly kind: "postgresql"; readonly connectionString: string };

/**
 * Opens a database with the newest schema. Whoever opens it ends it with `destroy()`.
 * @throws CctvError STORE_FAILED, SETTING_INVALID
 */
export async function openDatabase(settings: DatabaseSettings): Promise<Kysely<Schema>> {
  try {
    const db = await (settings.kind === "sqlite"
      ? openSqlite(settings.path)
      : openPostgresql(settings.connectionString));
    try {
      await migrate(db);
      return db;
    } catch (error) {
      await db.destroy();
      throw error;
    }
  } catch (error) {
    throw storeFailure(error);
  }
}
