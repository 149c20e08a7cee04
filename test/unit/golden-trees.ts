import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../test/golden/trees/", import.meta.url);

/** Rows, and what XGBoost 1.7.4 makes of them. `scripts/make-golden-trees.py` wrote them. */
export interface Golden {
  readonly rows: readonly Float32Array[];
  readonly margin: readonly (readonly number[])[];
  readonly predict: readonly (readonly number[])[];
}

/** Names of the golden models, each with its file endings. */
export function goldenModels(): { name: string; file: string }[] {
  return readdirSync(FOLDER)
    .filter((file) => !file.endsWith(".golden.json"))
    .map((file) => ({ name: file.replace(/\.\w+$/, ""), file }));
}

export function goldenPath(file: string): URL {
  return new URL(file, FOLDER);
}

export function goldenBytes(file: string): Uint8Array {
  return readFileSync(goldenPath(file));
}

export function golden(name: string): Golden {
  const { rows, margin, predict } = JSON.parse(readFileSync(new URL(`${name}.golden.json`, FOLDER), "utf8"));
  const asRow = (row: (number | null)[]) => Float32Array.from(row, (value) => value ?? Number.NaN);
  return { rows: rows.map(asRow), margin, predict };
}

/** A model as its document. Bare `NaN` of categorical splits becomes `null`, which reads the same. */
// biome-ignore lint/suspicious/noExplicitAny: tests rewrite any part of the document
export function goldenDocument(name: string): any {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8").replace(/\bNaN\b/g, "null"));
}
