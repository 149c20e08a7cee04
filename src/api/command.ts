import type { RateRule } from "./access/rate-limit.ts";
import type { Role } from "./access/roles.ts";
import type { Answer, ApiContext } from "./context.ts";
import type { JsonSchema } from "./schemas/json-schema.ts";

/** What a command gets when access, rate and schema are in order. */
export interface CommandRequest<Body = Record<string, unknown>> {
  readonly body: Body;
  /** Of a command for one camera; empty for the others. */
  readonly cameraId: string;
  readonly signal: AbortSignal;
}

/** One thing that the interface can do: all that there is to know of it, for the server and for its description. */
export interface Command {
  readonly name: string;
  /** One line, for people. */
  readonly summary: string;
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it; `{camera_id}` makes it a command for one camera. */
  readonly path: string;
  /** Who may. */
  readonly role: Role | "anyone";
  /** For each key. */
  readonly limit?: RateRule;
  /** Of the JSON that it takes: an object. Absent where it takes none. */
  readonly takes?: JsonSchema;
  /** Of the JSON that it answers, or the media type of what else it does. */
  readonly gives: JsonSchema | string;
  /** HTTP statuses of its errors, beside those that every command may have. */
  readonly failures: readonly number[];
  /** @throws CctvError */
  run(context: ApiContext, request: CommandRequest): Promise<Answer>;
}

/** Whether it is about one camera, which the path names. */
export function isAboutCamera({ path }: Pick<Command, "path">): boolean {
  return path.includes("{camera_id}");
}

/** Gives the body the type that the command's own schema has ensured. */
export function command<Body>(
  definition: Omit<Command, "run"> & { run(context: ApiContext, request: CommandRequest<Body>): Promise<Answer> },
): Command {
  return definition as unknown as Command;
}

export function success(fields: object): Answer {
  return { status: 200, headers: { "cache-control": "no-store" }, body: { status: "success", ...fields } };
}
