import { CctvError } from "../../src/errors.ts";

/** Dialog fields arrive as text or numbers, and as nothing from flows written by hand. */
export type Field = string | number | undefined;

/**
 * @param range inclusive bounds
 * @throws CctvError SETTING_INVALID, naming the setting, what it holds and what it may hold.
 */
export function numberSetting(name: string, value: Field, fallback: number, range: readonly [number, number]): number {
  if (value === undefined || value === "") return fallback;
  const number = Number(value);
  const [least, most] = range;
  if (Number.isFinite(number) && number >= least && number <= most) return number;
  throw new CctvError(
    "SETTING_INVALID",
    `"${name}" is ${JSON.stringify(value)}; it takes a number from ${least} to ${most}`,
  );
}

/** @throws CctvError SETTING_INVALID where the value is none of the choices. */
export function choiceSetting<T extends string>(name: string, value: Field, choices: readonly [T, ...T[]]): T {
  if (value === undefined || value === "") return choices[0];
  const choice = choices.find((one) => one === String(value));
  if (choice !== undefined) return choice;
  throw new CctvError(
    "SETTING_INVALID",
    `"${name}" is ${JSON.stringify(value)}; it takes one of ${choices.join(", ")}`,
  );
}

/** What MQTT topics, Home Assistant ids and file names can all hold. */
export function slug(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
