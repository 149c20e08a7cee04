import type { SqliteDatabase, SqliteStatement } from "kysely";
import { CctvError } from "../errors.ts";

const MOST_STATEMENTS = 100;

/**
 * The driver without its traps, as of libsql 0.5: a boolean ends the whole process, what is not a number or a text
 * may become null, and each prepared statement takes some 15 kB that only the garbage collector gives back.
 */
export class GuardedSqlite implements SqliteDatabase {
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = guarded(this.#database.prepare(sql));
      if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    try {
      // The driver leaves the journal behind; a copy of the file alone is to hold everything.
      this.#database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all([]);
    } finally {
      this.#database.close();
    }
  }
}

function guarded(statement: SqliteStatement): SqliteStatement {
  return {
    reader: statement.reader,
    all: (values) => statement.all(checked(values)),
    run: (values) => statement.run(checked(values)),
    iterate: (values) => statement.iterate(checked(values)),
  };
}

function checked(values: readonly unknown[]): readonly unknown[] {
  const bad = values.findIndex((value) => value !== null && typeof value !== "string" && !Number.isFinite(value));
  if (bad < 0) return values;
  throw new CctvError(
    "STORE_FAILED",
    `the camera database takes texts and numbers, and got a value of type ${typeof values[bad]}; please report it`,
  );
}
