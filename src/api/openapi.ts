import { type Command, isAboutCamera } from "./command.ts";
import { components } from "./schemas/components.ts";
import { cameraId } from "./schemas/fields.ts";
import { type JsonSchema, refTo } from "./schemas/json-schema.ts";

/** Of the interface, not of the package: a change that old clients would stumble over makes it 2. */
const API_VERSION = "1.0.0";

const MEANING: Readonly<Record<number, string>> = {
  400: "The request is not what the call takes, or a camera cannot be connected to",
  401: "No API key, or one that is not known",
  403: "The role of the API key does not reach",
  404: "There is no such camera",
  409: "It is there already, or is being done already",
  413: "The body is too large",
  422: "The address leads to where no camera may be opened",
  429: "Too many of these calls; Retry-After says when to try again",
  500: "The server failed",
  502: "The camera does not do its part",
  503: "The server has not started yet",
};

/** The description of all calls by OpenAPI 3.1. */
export function openApiDocument(commands: readonly Command[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const command of commands) {
    paths[command.path] = { ...paths[command.path], [command.method]: toOperation(command) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Camera server",
      version: API_VERSION,
      description: "Finds, registers and runs cameras. No answer ever holds a password.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
    },
  };
}

function toOperation(command: Command): JsonSchema {
  const { name, summary, role, takes } = command;
  return {
    operationId: name,
    summary,
    ...(role === "anyone" ? { security: [] } : { description: `For the role ${role} and those above it.` }),
    ...(isAboutCamera(command) && {
      parameters: [{ name: "camera_id", in: "path", required: true, schema: cameraId }],
    }),
    ...(takes && {
      requestBody: {
        required: Array.isArray(takes.required) && takes.required.length > 0,
        content: { "application/json": { schema: takes } },
      },
    }),
    responses: toResponses(command),
  };
}

function toResponses(command: Command): JsonSchema {
  const { gives, role, limit, failures } = command;
  const statuses = [
    ...failures,
    ...(isAboutCamera(command) ? [400] : []),
    ...(command.takes ? [400, 413] : []),
    ...(role === "anyone" ? [] : [401, 403]),
    ...(limit ? [429] : []),
    ...[500, 503],
  ];
  const good = typeof gives === "string" ? { [gives]: {} } : { "application/json": { schema: gives } };
  const errors = [...new Set(statuses)].sort().map((status) => [
    String(status),
    {
      description: MEANING[status] ?? "An error",
      ...(status === 429 && { headers: { "Retry-After": { schema: { type: "string" }, description: "seconds" } } }),
      content: { "application/json": { schema: refTo("Error") } },
    },
  ]);
  return { "200": { description: "Done", content: good }, ...Object.fromEntries(errors) };
}
