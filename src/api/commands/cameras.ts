import { toCameraAnswer, toStatusAnswer } from "../camera-answer.ts";
import { command, success } from "../command.ts";
import { refTo, successOf } from "../schemas/json-schema.ts";

export const listCommand = command<object>({
  name: "list",
  summary: "All cameras and how they are",
  method: "get",
  path: "/api/cameras",
  role: "viewer",
  gives: successOf({
    total: { type: "integer", minimum: 0 },
    cameras: { type: "object", additionalProperties: refTo("Camera"), description: "by their ids" },
  }),
  failures: [],

  async run({ fleet }) {
    const states = await fleet.statuses();
    const cameras = Object.fromEntries(states.map((state) => [state.camera.id, toCameraAnswer(state)]));
    return success({ total: states.length, cameras });
  },
});

export const statusCommand = command<object>({
  name: "status",
  summary: "All that is known of one camera",
  method: "get",
  path: "/api/cameras/{camera_id}/status",
  role: "viewer",
  gives: successOf({ data: refTo("CameraStatus") }),
  failures: [404],

  async run({ fleet }, { cameraId }) {
    return success({ data: toStatusAnswer(await fleet.status(cameraId)) });
  },
});
