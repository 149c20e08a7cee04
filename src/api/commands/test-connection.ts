import { ERROR_CODES } from "../../errors.ts";
import { partAddress } from "../../store/camera-address.ts";
import { testCamera } from "../../stream/camera-test.ts";
import { type ConnectionBody, type ReadCamera, readCamera } from "../camera-address.ts";
import { command, success } from "../command.ts";
import type { ApiContext } from "../context.ts";
import { isCameraFailure } from "../http-status.ts";
import { connection } from "../schemas/fields.ts";
import { type JsonSchema, objectOf, successOf } from "../schemas/json-schema.ts";

const LONG_SIDE = 640;
const text: JsonSchema = { type: "string" };

export const testCommand = command<ConnectionBody>({
  name: "test",
  summary: "Connects to a camera once and says what was found; a camera that cannot be reached is an answer too",
  method: "post",
  path: "/api/cameras/test-connection",
  role: "admin",
  limit: { burst: 20, perMinute: 30 },
  takes: objectOf(connection, ["url"]),
  gives: successOf(
    {
      connected: { type: "boolean" },
      url: { type: "string", description: "without user and password" },
    },
    {
      codec: text,
      width: { type: "integer", minimum: 1 },
      height: { type: "integer", minimum: 1 },
      fps: { type: "number", minimum: 0 },
      brand: text,
      model: text,
      first_frame_ms: { type: "number", minimum: 0 },
      code: { enum: ERROR_CODES },
      message: text,
    },
  ),
  failures: [422],

  async run(context, { body, signal }) {
    const camera = await readCamera(body, context.rules, signal);
    const url = partAddress(camera.fields.address).shown;
    try {
      return success({ connected: true, url, ...(await look(context, camera)) });
    } catch (error) {
      if (!isCameraFailure(error)) throw error;
      const { code, message } = error;
      return success({ connected: false, url, code, message });
    }
  },
});

/** @throws CctvError */
export async function look({ ffmpegPath }: ApiContext, { fields, pinned }: ReadCamera): Promise<object> {
  const { video, device, firstPictureMs } = await testCamera({
    ...fields,
    address: pinned,
    longSide: LONG_SIDE,
    ffmpegPath,
  });
  return {
    ...video,
    ...(device.brand !== undefined && { brand: device.brand }),
    ...(device.model !== undefined && { model: device.model }),
    first_frame_ms: Math.round(firstPictureMs),
  };
}
