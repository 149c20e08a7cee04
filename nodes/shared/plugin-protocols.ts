import type { NodeAPI } from "node-red";
import type { CameraConfig, PictureInput, Protocol } from "../../src/camera/protocols/protocol.ts";
import { type ProtocolRegistry, protocols } from "../../src/camera/protocols/registry.ts";
import { maskAddresses } from "../../src/camera/secrets.ts";
import { CctvError, ERROR_CODES, type ErrorCode } from "../../src/errors.ts";

/** What other packages register: `RED.plugins.registerPlugin(id, { type: "node-red-cctv-protocol", protocol })`. */
export const PLUGIN_TYPE = "node-red-cctv-protocol";

interface ProtocolPlugin {
  readonly id: string;
  readonly type: string;
  /** The package that it came with. */
  readonly module?: string;
  readonly protocol?: unknown;
}

const SCHEME = /^[a-z][a-z0-9+.-]*$/;
/** How to see that an input of a kind can be opened. */
const REQUIRED: Readonly<Record<string, readonly (readonly [field: string, type: string])[]>> = {
  ffmpeg: [
    ["url", "string"],
    ["options", "object"],
    ["protocols", "object"],
    ["live", "boolean"],
    ["loop", "boolean"],
  ],
  jpeg: [["jpegs", "function"]],
  raw: [["pictures", "function"]],
  rtsp: [
    ["host", "string"],
    ["port", "number"],
    ["path", "string"],
    ["transport", "string"],
  ],
};

/** Where this process' Node-RED says that plugins come; each is listened to once. */
const heard = new WeakSet<object>();

/**
 * Takes the camera protocols of other packages into the registry: those that are there, those that are installed
 * later, and out again with the next deploy those that are gone. One that cannot work is left out, with a warning.
 */
export function usePluginProtocols(RED: NodeAPI, registry: ProtocolRegistry = protocols): void {
  if (heard.has(RED.events)) return;
  heard.add(RED.events);
  const taken = new Map<ProtocolPlugin, () => void>();
  const update = (): void => {
    const plugins = RED.plugins.getByType(PLUGIN_TYPE) as unknown as readonly ProtocolPlugin[];
    for (const [plugin, takeBack] of taken) {
      if (plugins.includes(plugin)) continue;
      takeBack();
      taken.delete(plugin);
    }
    for (const plugin of plugins) {
      if (!taken.has(plugin)) taken.set(plugin, take(RED, registry, plugin));
    }
  };
  RED.events.on("registry:plugin-added", update);
  RED.events.on("flows:starting", update);
  update();
}

function take(RED: NodeAPI, registry: ProtocolRegistry, { id, module, protocol }: ProtocolPlugin): () => void {
  const who = `the camera protocol "${id}"${module ? ` of ${module}` : ""}`;
  const problem = problemOf(protocol);
  if (problem) {
    RED.log.warn(`${who} is left out: ${problem}; tell its author`);
    return () => undefined;
  }
  const guarded = guard(protocol as Protocol, who);
  const replaced = guarded.schemes.filter((scheme) => registry.schemes.includes(scheme));
  if (replaced.length > 0) RED.log.info(`${who} now opens ${replaced.map((scheme) => `${scheme}://`).join(", ")}`);
  return registry.register(guarded);
}

/** What keeps it from working; undefined where it looks sound. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return 'it has no object "protocol"';
  const { name, schemes, fields, resolve, matches, device } = value as Record<string, unknown>;
  if (typeof name !== "string" || name === "") return "protocol.name is no text";
  if (!isTexts(schemes) || schemes.length === 0) return "protocol.schemes is no list of texts";
  const bad = schemes.find((scheme) => !SCHEME.test(scheme));
  if (bad !== undefined) return `${JSON.stringify(bad)} in protocol.schemes is none in lower case without a colon`;
  if (!isTexts(fields)) return "protocol.fields is no list of texts";
  if (typeof resolve !== "function") return "protocol.resolve is no function";
  if (matches !== undefined && typeof matches !== "function") return "protocol.matches is no function";
  if (device !== undefined && typeof device !== "function") return "protocol.device is no function";
  return undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** The same protocol, made so that its mistakes are told as its own and keep no other camera from being opened. */
function guard(protocol: Protocol, who: string): Protocol {
  const { name, schemes, fields } = protocol;
  const matches = protocol.matches?.bind(protocol);
  const device = protocol.device?.bind(protocol);
  return {
    name,
    schemes: [...schemes],
    fields: [...fields],
    ...(matches && { matches: (address) => claims(matches, address) }),
    ...(device && {
      device: (config) => {
        try {
          return device(config);
        } catch (error) {
          throw withCode(error, who);
        }
      },
    }),
    async resolve(config: CameraConfig, signal: AbortSignal): Promise<PictureInput> {
      let input: unknown;
      try {
        input = await protocol.resolve(config, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw withCode(error, who);
      }
      if (isInput(input)) return input;
      throw new CctvError("CAMERA_UNSUPPORTED", `${who} gave nothing that can be opened; tell its author`);
    },
  };
}

/** Every address is shown to every protocol that claims some: one that stumbles over another's must not stop it. */
function claims(matches: (address: string) => boolean, address: string): boolean {
  try {
    return matches(address) === true;
  } catch {
    return false;
  }
}

function isInput(value: unknown): value is PictureInput {
  if (typeof value !== "object" || value === null) return false;
  const input = value as Record<string, unknown>;
  const required = REQUIRED[String(input.kind ?? "ffmpeg")];
  const fits = required?.every(([field, type]) => typeof input[field] === type && input[field] !== null);
  return fits === true && typeof input.display === "string";
}

/** Another package has no need of our error class: any error with a `code` of ours will do. */
function withCode(error: unknown, who: string): CctvError {
  if (error instanceof CctvError) return error;
  const { code, message = String(error) } = (error ?? {}) as { code?: ErrorCode; message?: string };
  if (code !== undefined && ERROR_CODES.includes(code)) return new CctvError(code, message, { cause: error });
  return new CctvError("CAMERA_REFUSED", `${who} failed: ${maskAddresses(message)}; tell its author if it stays`, {
    cause: error,
  });
}
