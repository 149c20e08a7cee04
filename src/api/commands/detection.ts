import { CctvError } from "../../errors.ts";
import { command, success } from "../command.ts";
import type { CameraState, FleetControl } from "../context.ts";
import { cameraId, cameras } from "../schemas/fields.ts";
import { type JsonSchema, objectOf, refTo, successOf } from "../schemas/json-schema.ts";

interface DetectionBody {
  /** All where it is absent. */
  readonly cameras?: readonly string[];
}

interface Skipped {
  readonly camera_id: string;
  readonly code: "CAMERA_UNKNOWN" | "REQUEST_INVALID";
  readonly message: string;
}

const takes = objectOf({ cameras });
const gives: JsonSchema = successOf({
  message: { type: "string" },
  cameras: { type: "array", items: cameraId, description: "those that do as they were told" },
  skipped: { type: "array", items: refTo("Skipped"), description: "those that were named and do not" },
});

export const startCommand = command<DetectionBody>({
  name: "start",
  summary: "Starts detection on the named cameras, or on all that are enabled; it is started again after a restart",
  method: "post",
  path: "/api/cameras/start-detection",
  role: "operator",
  takes,
  gives,
  failures: [404],

  async run({ fleet }, { body }) {
    const { known, skipped } = await sort(fleet, body, ({ camera }) => camera.enabled);
    const started = await fleet.start(known);
    return success({ message: "Detection started", cameras: started, skipped });
  },
});

export const stopCommand = command<DetectionBody>({
  name: "stop",
  summary: "Stops detection on the named cameras, or on all",
  method: "post",
  path: "/api/cameras/stop-detection",
  role: "operator",
  takes,
  gives,
  failures: [404],

  async run({ fleet }, { body }) {
    const { known, skipped } = await sort(fleet, body, () => true);
    const stopped = await fleet.stop(known);
    return success({ message: "Detection stopped", cameras: stopped, skipped });
  },
});

/**
 * Parts the cameras that are named into those that can do it and those that cannot.
 * @throws CctvError CAMERA_UNKNOWN where cameras are named and none of them is known.
 */
async function sort(
  fleet: FleetControl,
  { cameras: named }: DetectionBody,
  can: (state: CameraState) => boolean,
): Promise<{ known: string[]; skipped: Skipped[] }> {
  const states = new Map((await fleet.statuses()).map((state) => [state.camera.id, state]));
  const wanted = [...new Set(named ?? states.keys())];
  const [first] = wanted;
  if (named && first !== undefined && !wanted.some((id) => states.has(id))) {
    throw new CctvError("CAMERA_UNKNOWN", unknownCamera(first));
  }
  const known: string[] = [];
  const skipped: Skipped[] = [];
  for (const id of wanted) {
    const state = states.get(id);
    if (!state) skipped.push({ camera_id: id, code: "CAMERA_UNKNOWN", message: unknownCamera(id) });
    else if (can(state)) known.push(id);
    else if (named) skipped.push(disabled(id));
  }
  return { known, skipped };
}

function unknownCamera(id: string): string {
  return `no camera "${id}" is registered; GET /api/cameras lists those that are`;
}

function disabled(id: string): Skipped {
  return { camera_id: id, code: "REQUEST_INVALID", message: `camera "${id}" is disabled; enable it first` };
}
