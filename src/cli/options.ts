import { type ParseArgsConfig, parseArgs } from "node:util";
import { CctvError } from "../errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** @throws CctvError SETTING_INVALID for an option that there is not. */
export function readOptions(args: readonly string[], options: Options): Values {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Values;
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new CctvError("SETTING_INVALID", `${found}; "aislewatch help" shows what there is`, { cause: error });
  }
}

export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** @throws CctvError SETTING_INVALID where it was left out. */
export function required(values: Values, name: string): string {
  const value = text(values, name);
  if (value === undefined) throw new CctvError("SETTING_INVALID", `--${name} is missing; "aislewatch help" shows how`);
  return value;
}

export function texts(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** @throws CctvError SETTING_INVALID where it is no number from `least` to `most`. */
export function number(values: Values, name: string, fallback: number, least: number, most: number): number {
  const given = text(values, name);
  const value = given === undefined ? fallback : Number(given);
  if (value >= least && value <= most) return value;
  throw new CctvError("SETTING_INVALID", `--${name} is ${given}; give a number from ${least} to ${most}`);
}
