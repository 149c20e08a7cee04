import { CctvError } from "../errors.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { type Command, command, success } from "./command.ts";
import { listCommand, statusCommand } from "./commands/cameras.ts";
import { disableCommand, enableCommand, removeCommand, updateCommand } from "./commands/changes.ts";
import { startCommand, stopCommand } from "./commands/detection.ts";
import { discoverCommand } from "./commands/discover.ts";
import { snapshotCommand, streamCommand } from "./commands/pictures.ts";
import { registerCommand } from "./commands/register.ts";
import { testCommand } from "./commands/test-connection.ts";
import type { Answer } from "./context.ts";
import { openApiDocument } from "./openapi.ts";
import { type JsonSchema, successOf } from "./schemas/json-schema.ts";

const aDocument: JsonSchema = { type: "object", description: "the document" };

const healthCommand = command<object>({
  name: "health",
  summary: "Whether the server and its store are up, for whatever watches over them",
  method: "get",
  path: "/api/health",
  role: "anyone",
  gives: successOf({ uptime_seconds: { type: "integer", minimum: 0 } }),
  failures: [],

  async run({ fleet }) {
    await fleet.statuses();
    return success({ uptime_seconds: Math.floor(process.uptime()) });
  },
});

const openApiCommand = command<object>({
  name: "openapi",
  summary: "Describes these calls",
  method: "get",
  path: "/api/openapi.json",
  role: "anyone",
  gives: aDocument,
  failures: [],

  run: async () => plain(openApiDocument(commands)),
});

const asyncApiCommand = command<object>({
  name: "asyncapi",
  summary: "Describes the events of the socket",
  method: "get",
  path: "/api/asyncapi.json",
  role: "anyone",
  gives: aDocument,
  failures: [],

  run: async () => plain(asyncApiDocument()),
});

/** All that the interface can do. */
export const commands: readonly Command[] = [
  discoverCommand,
  testCommand,
  registerCommand,
  listCommand,
  statusCommand,
  enableCommand,
  disableCommand,
  updateCommand,
  removeCommand,
  startCommand,
  stopCommand,
  snapshotCommand,
  streamCommand,
  openApiCommand,
  asyncApiCommand,
  healthCommand,
];

/** @throws CctvError REQUEST_INVALID */
export function commandNamed(name: string): Command {
  const found = commands.find((one) => one.name === name);
  if (found) return found;
  throw new CctvError(
    "REQUEST_INVALID",
    `there is no such command; the commands are ${commands.map((one) => one.name).join(", ")}`,
  );
}

function plain(body: object): Answer {
  return { status: 200, headers: {}, body };
}
