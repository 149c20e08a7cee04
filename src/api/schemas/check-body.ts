import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { maskAddresses } from "../../camera/secrets.ts";
import { CctvError } from "../../errors.ts";
import type { JsonSchema } from "./json-schema.ts";

const SHOWN = 60;
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, verbose: true });
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/**
 * Checks what came with a request.
 * @returns it, as an object; nothing at all counts as an empty one.
 * @throws CctvError REQUEST_INVALID, which names the field and what it takes, and repeats no value.
 */
export function checkBody(schema: JsonSchema, body: unknown): Record<string, unknown> {
  const value = body === undefined || body === null || body === "" ? {} : body;
  if (typeof value !== "object" || Array.isArray(value) || Buffer.isBuffer(value)) {
    throw invalid('it takes one JSON object, sent with "content-type: application/json"');
  }
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  if (validate(value)) return value as Record<string, unknown>;
  const [error] = validate.errors ?? [];
  throw invalid(error ? explain(error, schema) : "its body is not what it takes");
}

function explain(error: ErrorObject, schema: JsonSchema): string {
  const taken = Object.keys((schema.properties ?? {}) as object);
  if (error.keyword === "required" || error.keyword === "dependentRequired") {
    return `"${error.params.missingProperty}" is missing; add it`;
  }
  if (error.keyword === "additionalProperties") {
    const named = quote(String(error.params.additionalProperty));
    return `${named} is no field of it; it takes ${taken.join(", ") || "none"}`;
  }
  const [, field = "", index] = error.instancePath.split("/");
  const described = (schema.properties as Record<string, JsonSchema> | undefined)?.[field];
  const where = index === undefined ? quote(field) : `${quote(field)} at place ${index}`;
  return `${where} is not valid; it takes ${described?.description ?? "another value"}`;
}

function invalid(what: string): CctvError {
  return new CctvError("REQUEST_INVALID", `the request is not what this call takes: ${what}`);
}

/** What somebody wrote where a name belongs may be an address with a password. */
function quote(text: string): string {
  return JSON.stringify(maskAddresses(text).slice(0, SHOWN));
}
