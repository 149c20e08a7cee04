import type { Caller } from "./access/api-access.ts";
import { corsHeaders, isAllowedOrigin } from "./access/cors.ts";
import { RefusedRequest } from "./access/refused-request.ts";
import { type Command, isAboutCamera } from "./command.ts";
import { commandNamed } from "./commands.ts";
import type { Answer, ApiContext, ApiRequest } from "./context.ts";
import { isFields, readHttpBody } from "./http-body.ts";
import { toErrorAnswer } from "./http-status.ts";
import { checkBody } from "./schemas/check-body.ts";
import * as fields from "./schemas/fields.ts";
import { objectOf } from "./schemas/json-schema.ts";

/** The flow itself: whoever can edit it can do everything anyway. */
const FLOW: Caller = { id: "flow", role: "admin" };
/** Names the camera in the body where no path does. */
const onlyId = objectOf({ camera_id: fields.cameraId }, ["camera_id"]);

/**
 * Does what a request asks for, if it may: role, rate and body are checked in this order. Whatever goes wrong is an
 * answer too; one that went wrong on this side carries its `failure`.
 */
export async function call(context: ApiContext, name: string, request: ApiRequest): Promise<Answer> {
  const answer = await run(context, name, request).catch(toErrorAnswer);
  const cors = corsHeaders(originOf(request), context.origins ?? []);
  return { ...answer, headers: { ...answer.headers, ...cors } };
}

async function run(context: ApiContext, name: string, request: ApiRequest): Promise<Answer> {
  const { http, signal } = request;
  const command = commandNamed(name);
  const caller = http && command.role !== "anyone" ? context.access.check(http.headers, command.role) : FLOW;
  if (http) refuseForeignPage(context, command, request);
  if (http && command.limit) context.limits.take(caller.id, command.name, command.limit);
  const cameraId = isAboutCamera(command) ? cameraIdOf(request) : "";
  return command.run(context, { cameraId, body: bodyOf(command, request), signal });
}

/** @throws CctvError REQUEST_INVALID */
function cameraIdOf({ cameraId, body }: ApiRequest): string {
  const named = cameraId ?? (isFields(body) ? body.camera_id : undefined);
  return String(checkBody(onlyId, { ...(named !== undefined && { camera_id: named }) }).camera_id);
}

/** @throws CctvError REQUEST_INVALID */
function bodyOf(command: Command, { body, http }: ApiRequest): Record<string, unknown> {
  if (!command.takes) return {};
  const value = http ? readHttpBody(body, http.headers["content-type"]) : body;
  if (!isAboutCamera(command) || !isFields(value)) return checkBody(command.takes, value);
  const { camera_id: _named, ...rest } = value;
  return checkBody(command.takes, rest);
}

/** Without keys, what a browser sends for another site's page looks like any other request: it says so itself. */
function refuseForeignPage({ access, origins = [] }: ApiContext, command: Command, request: ApiRequest): void {
  const headers = request.http?.headers ?? {};
  if (access.required || headers["sec-fetch-site"] !== "cross-site") return;
  // Pages may show pictures of others and lead to them, without getting to read them.
  const isShown = typeof command.gives === "string" || headers["sec-fetch-mode"] === "navigate";
  if (command.method === "get" && isShown) return;
  const origin = originOf(request);
  if (origin !== undefined && isAllowedOrigin(origin, origins)) return;
  throw new RefusedRequest(
    "ACCESS_DENIED",
    403,
    "pages of other sites are not let in; allow their origin, or have the server ask for API keys",
  );
}

function originOf({ http }: ApiRequest): string | undefined {
  const origin = http?.headers.origin;
  return typeof origin === "string" ? origin : undefined;
}
