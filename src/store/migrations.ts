import { type Kysely, type Migration, Migrator } from "kysely";
import { CctvError } from "../errors.ts";
import type { Schema } from "./schema.ts";

const MIGRATION_TABLE = "cctv_migration";
const MIGRATION_LOCK_TABLE = "cctv_migration_lock";

/** By their names, which are in the order of their dates. One that was released is never changed again. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "2026-11-22-cameras": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("cctv_setting")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("value", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("cctv_camera")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("location", "text", (column) => column.notNull())
        .addColumn("site", "text", (column) => column.notNull())
        .addColumn("address", "text", (column) => column.notNull())
        .addColumn("protocol", "text", (column) => column.notNull())
        .addColumn("username", "text", (column) => column.notNull())
        .addColumn("has_password", "integer", (column) => column.notNull())
        .addColumn("secrets", "text", (column) => column.notNull())
        .addColumn("enabled", "integer", (column) => column.notNull())
        .addColumn("detecting", "integer", (column) => column.notNull().defaultTo(0))
        .addColumn("channel", "integer")
        .addColumn("stream", "text")
        .addColumn("transport", "text")
        .addColumn("certificate", "text")
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("updated_at", "bigint", (column) => column.notNull())
        .execute();
    },
  },
};

/**
 * Brings a database to the newest schema, whole or not at all.
 * @throws CctvError STORE_FAILED where a newer release has written it; else the database's own error.
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE,
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const unknown = await unknownMigrations(db);
  if (unknown.length === 0) throw error;
  throw new CctvError(
    "STORE_FAILED",
    `the camera database was written by a newer release of this package (${unknown.join(", ")}); install that release again, or give the registry another database`,
    { cause: error },
  );
}

/** What was done to the database that this release knows nothing of; empty where that cannot be told. */
async function unknownMigrations(db: Kysely<Schema>): Promise<string[]> {
  try {
    const done = await db
      .withTables<{ [MIGRATION_TABLE]: { name: string } }>()
      .selectFrom(MIGRATION_TABLE)
      .select("name")
      .execute();
    return done.map(({ name }) => name).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  } catch {
    return [];
  }
}
