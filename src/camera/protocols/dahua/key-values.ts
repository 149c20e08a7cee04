/** What a Dahua device tells: values by their whole keys, such as `table.RTSP.Port`. */
export type KeyValues = ReadonlyMap<string, string>;

/** Recorders tell the passwords of their cameras in clear to whoever may read their settings. */
const SECRET = /passw(?:or)?d|secret/i;

/** Reads lines of `key=value`, without those that hold a password; a value may hold `=` and `;` itself. */
export function readKeyValues(text: string): KeyValues {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf("=");
    const key = line.slice(0, equals).trim();
    if (equals < 1 || SECRET.test(key)) continue;
    values.set(key, line.slice(equals + 1).trim());
  }
  return values;
}

/** The value of a key; undefined where it is missing or empty. */
export function textAt(values: KeyValues | undefined, key: string): string | undefined {
  return values?.get(key) || undefined;
}

/**
 * Sorts a table by the number in its keys.
 *
 * @param pattern its first group is that number, its second one the rest of the key
 */
export function rowsOf(values: KeyValues | undefined, pattern: RegExp): Map<number, KeyValues> {
  const rows = new Map<number, Map<string, string>>();
  for (const [key, value] of values ?? []) {
    const [, number, rest] = pattern.exec(key) ?? [];
    if (number === undefined || rest === undefined) continue;
    const row = rows.get(Number(number)) ?? new Map<string, string>();
    row.set(rest, value);
    rows.set(Number(number), row);
  }
  return rows;
}
