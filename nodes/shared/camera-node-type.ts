import type { NodeDef } from "node-red";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import type { DeviceDef } from "./device-part.ts";
import type { Field } from "./settings.ts";

/** The fields that every camera node has. */
export interface CameraDef extends NodeDef, DeviceDef {
  cameraId?: string;
  location?: string;
  site?: string;
  fps?: Field;
  longSide?: Field;
  maxAttempts?: Field;
  ffmpeg?: string;
}

/** What a dialog keeps among Node-RED's credentials. */
export type Secrets = Readonly<Record<string, string | undefined>>;

/** What makes one type of camera node different from the others. */
export interface CameraNodeType<Def extends CameraDef> {
  /** Its secret fields. */
  readonly credentials: Readonly<Record<string, { type: "text" | "password" }>>;
  /**
   * The node's own fields as a configuration.
   * @throws CctvError SETTING_INVALID
   */
  configure(def: Def, secrets: Secrets): CameraConfig;
  /** It takes commands, and gives the camera's own events and answers on outputs 3 and 4. */
  readonly isDevice?: boolean;
}
