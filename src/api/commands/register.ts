import { CctvError } from "../../errors.ts";
import { RefusedRequest } from "../access/refused-request.ts";
import { type ConnectionBody, readCamera } from "../camera-address.ts";
import { command, success } from "../command.ts";
import type { FleetControl } from "../context.ts";
import { isCameraFailure } from "../http-status.ts";
import { cameraId, connection, location, name, site } from "../schemas/fields.ts";
import { objectOf, successOf } from "../schemas/json-schema.ts";
import { look } from "./test-connection.ts";

interface RegisterBody extends ConnectionBody {
  readonly camera_id: string;
  readonly name?: string;
  readonly location?: string;
  readonly site?: string;
  readonly force?: boolean;
}

export const registerCommand = command<RegisterBody>({
  name: "register",
  summary: "Connects to a camera and keeps it; with force, keeps it without connecting",
  method: "post",
  path: "/api/cameras/register",
  role: "admin",
  limit: { burst: 60, perMinute: 60 },
  takes: objectOf(
    {
      camera_id: cameraId,
      name,
      location,
      site,
      ...connection,
      force: { type: "boolean", description: "true or false" },
    },
    ["camera_id", "url"],
  ),
  gives: successOf({ message: { type: "string" }, camera_id: cameraId, protocol: { type: "string" } }),
  failures: [409, 422],

  async run(context, { body, signal }) {
    const { fleet, rules } = context;
    const id = body.camera_id;
    const shownName = body.name || id;
    await refuseKnown(fleet, id);
    const camera = await readCamera(body, rules, signal);
    if (!body.force) {
      await look(context, camera).catch((error: unknown) => {
        throw isCameraFailure(error) ? notRegistered(error) : error;
      });
    }
    const { location, site } = body;
    await fleet.add({
      id,
      name: shownName,
      ...camera.fields,
      ...(location !== undefined && { location }),
      ...(site !== undefined && { site }),
    });
    const message = `Camera ${shownName} registered successfully`;
    return success({ message, camera_id: id, protocol: camera.fields.protocol });
  },
});

/** Before the camera is troubled; the store has the last word. */
async function refuseKnown(fleet: FleetControl, id: string): Promise<void> {
  const known = await fleet.statuses();
  if (!known.some(({ camera }) => camera.id === id)) return;
  throw new CctvError("CAMERA_EXISTS", `there is a camera "${id}" already; choose another id, or change that one`);
}

function notRegistered({ code, message }: CctvError): RefusedRequest {
  return new RefusedRequest(
    code,
    400,
    `${message}. The camera is not registered; send "force": true to register it all the same`,
  );
}
