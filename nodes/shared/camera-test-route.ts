import type { NodeAPI } from "node-red";
import { parseNetworkAddress } from "../../src/camera/address.ts";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { asCctvError, CctvError, type ErrorCode } from "../../src/errors.ts";
import { type CameraTestReport, testCamera } from "../../src/stream/camera-test.ts";
import type { CameraDef, CameraNodeType, Secrets } from "./camera-node-type.ts";

/** What the button in a camera's dialog sends: the fields as they stand there, deployed or not. */
export interface CameraTestRequest {
  readonly type: string;
  /** Of the node, for the secrets that the dialog does not know. */
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Without those that were not typed anew. */
  readonly secrets: Secrets;
}

/** What it gets back. */
export type CameraTestAnswer =
  | (Omit<CameraTestReport, "picture"> & { readonly ok: true; readonly picture: string })
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** What the editor puts into a password field for a password that it has not been told. */
const UNKNOWN_TO_EDITOR = "__PWRD__";
const PICTURE_LONG_SIDE = 640;

const nodeTypes = new Map<string, CameraNodeType<CameraDef>>();
const offered = new WeakSet<object>();

/** Lets the dialog of a camera node try what it holds. */
export function offerCameraTest<Def extends CameraDef>(
  RED: NodeAPI,
  type: string,
  nodeType: CameraNodeType<Def>,
): void {
  nodeTypes.set(type, nodeType as unknown as CameraNodeType<CameraDef>);
  if (!RED.httpAdmin || offered.has(RED.httpAdmin)) return;
  offered.add(RED.httpAdmin);
  RED.httpAdmin.post("/cctv/test", RED.auth.needsPermission("cctv.write"), (request, response) => {
    // A form of another site could send anything else.
    if (!request.is("application/json")) {
      response.sendStatus(415);
      return;
    }
    void answer(RED, request.body as CameraTestRequest).then((body) => response.json(body));
  });
}

async function answer(RED: NodeAPI, request: CameraTestRequest): Promise<CameraTestAnswer> {
  try {
    const config = configOf(RED, request);
    const ffmpeg = fieldOf(request, "ffmpeg");
    const { picture, ...report } = await testCamera({
      ...config,
      longSide: PICTURE_LONG_SIDE,
      ...(ffmpeg && { ffmpegPath: ffmpeg }),
    });
    return { ok: true, ...report, picture: `data:image/jpeg;base64,${picture.toString("base64")}` };
  } catch (error) {
    const { code, message } = asCctvError(error, "SETTING_INVALID");
    return { ok: false, code, message };
  }
}

function configOf(RED: NodeAPI, request: CameraTestRequest): CameraConfig {
  const nodeType = nodeTypes.get(String(request.type));
  if (!nodeType) throw new CctvError("SETTING_INVALID", "there is no such type of camera node; reload the editor");
  const fields = resolveAll(RED, request.fields ?? {});
  const stored = (RED.nodes.getCredentials(String(request.id)) ?? {}) as Secrets;
  const names = Object.keys(nodeType.credentials);
  const isKept = (name: string) => request.secrets?.[name] === UNKNOWN_TO_EDITOR;
  const secrets = Object.fromEntries(
    names.map((name) => [name, isKept(name) ? stored[name] : (resolve(RED, request.secrets?.[name]) as string)]),
  );
  const config = nodeType.configure(fields, secrets);
  if (names.some((name) => isKept(name) && stored[name])) refuseOtherHost(RED, request, nodeType, config);
  return config;
}

/** A stored password goes to the camera that it was stored for: the button must not carry it elsewhere. */
function refuseOtherHost(
  RED: NodeAPI,
  { id }: CameraTestRequest,
  nodeType: CameraNodeType<CameraDef>,
  config: CameraConfig,
): void {
  const deployed = deployedFields(RED, id);
  const host = deployed && hostOf(nodeType.configure(deployed, {}).address);
  if (host !== undefined && host === hostOf(config.address)) return;
  throw new CctvError(
    "SETTING_INVALID",
    "the host is not the one that the stored password was entered for; type the password again to test this one, or deploy first",
  );
}

function deployedFields(RED: NodeAPI, id: string): CameraDef | undefined {
  let found: CameraDef | undefined;
  RED.nodes.eachNode((def) => {
    if (def.id === id) found = resolveAll(RED, def);
  });
  return found;
}

function hostOf(address: string): string {
  try {
    return parseNetworkAddress(address, 1).host;
  } catch {
    return address;
  }
}

function resolveAll(RED: NodeAPI, fields: object): CameraDef {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, resolve(RED, value)]),
  ) as unknown as CameraDef;
}

/** `${NAME}` stands for a variable of the environment, as in the fields of a deployed node. */
function resolve(RED: NodeAPI, value: unknown): unknown {
  const [, name] = typeof value === "string" ? (/^\$\{([^}]+)\}$/.exec(value) ?? []) : [];
  if (name === undefined) return value;
  return RED.util.evaluateNodeProperty(name, "env", {} as never, {});
}

function fieldOf({ fields }: CameraTestRequest, name: string): string {
  const value = fields?.[name];
  return typeof value === "string" ? value : "";
}
