/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Takes these fields and no others; all but the required ones may be absent. */
export function objectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: "object", properties, required, additionalProperties: false };
}

/** An answer that went well: all of these fields, save the optional ones. */
export function successOf(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return objectOf({ status: { const: "success" }, ...properties, ...optional }, ["status", ...Object.keys(properties)]);
}

/** A schema that the description holds once, under this name. */
export function refTo(component: string): JsonSchema {
  return { $ref: `#/components/schemas/${component}` };
}
