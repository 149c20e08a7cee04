import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { RateLimits } from "../src/api/access/rate-limit.ts";
import { RefusedRequest } from "../src/api/access/refused-request.ts";
import { call } from "../src/api/call.ts";
import type { Answer, ApiContext, ApiRequest, LiveResponse } from "../src/api/context.ts";
import { toErrorAnswer } from "../src/api/http-status.ts";
import { AddressRules } from "../src/camera/address-rules.ts";
import { CctvError } from "../src/errors.ts";
import type { CameraRegistryNode } from "./camera-registry.ts";
import { FailureReporter, loggerOf } from "./shared/report.ts";

interface CameraCommandDef extends NodeDef {
  /** Id of a camera-registry. */
  registry: string;
  /** Empty: `msg.command` says which. */
  command?: string;
  /** Names or addresses of the interfaces that a scan looks on, with commas; empty means all. */
  interfaces?: string;
}

/** As `http in` makes it. */
interface HttpMessage extends NodeMessage {
  command?: unknown;
  req?: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly params?: Readonly<Record<string, string>>;
  };
  res?: { readonly _res?: LiveResponse };
  statusCode?: number;
  headers?: object;
}

const START_SECONDS = 2;

/** Answers what apps ask of a camera server, between an `http in` and an `http response`, or for the flow itself. */
export default function register(RED: NodeAPI): void {
  function CameraCommand(this: Node, def: CameraCommandDef): void {
    RED.nodes.createNode(this, def);
    const failures = new FailureReporter();
    const limits = new RateLimits();
    const closing = new AbortController();
    const interfaces = (def.interfaces ?? "").split(/[\s,]+/).filter(Boolean);
    const registry = () => RED.nodes.getNode(def.registry) as CameraRegistryNode | null;

    const contextFor = (msg: HttpMessage, send: (messages: (NodeMessage | null)[]) => void): ApiContext => {
      const { fleet, access, allowedAddresses, origins, ffmpegPath } = registry() ?? {};
      if (!fleet || !access) throw notReady();
      const { _msgid = "" } = msg;
      return {
        fleet,
        access,
        limits,
        rules: new AddressRules({ allowed: allowedAddresses }),
        origins,
        ffmpegPath,
        discovery: { logger: loggerOf(this), ...(interfaces.length > 0 && { interfaces }) },
        onDiscovery: (event) => send([null, { _msgid, topic: "discovery-progress", payload: event }]),
      };
    };

    const answer = async (msg: HttpMessage, send: (messages: (NodeMessage | null)[]) => void, signal: AbortSignal) => {
      try {
        return await call(contextFor(msg, send), def.command || String(msg.command ?? ""), requestOf(msg, signal));
      } catch (error) {
        return toErrorAnswer(error);
      }
    };

    this.on("input", async (msg: HttpMessage, send, done) => {
      const response = msg.res?._res;
      const leaving = new AbortController();
      const leave = () => leaving.abort();
      response?.on("close", leave);
      const signal = AbortSignal.any([leaving.signal, closing.signal]);
      try {
        let given = await answer(msg, send, signal);
        if (given.play) {
          const refused = await play(given.play, response, signal);
          if (!refused) return done();
          given = refused;
        }
        // Nobody waits any more.
        if (leaving.signal.aborted) return done();
        send([Object.assign(msg, toMessage(given)), null]);
        if (!given.failure) failures.worked();
        done(given.failure && failures.failed(given.failure, "REQUEST_FAILED"));
      } catch (error) {
        done(failures.failed(error, "REQUEST_FAILED"));
      } finally {
        response?.off("close", leave);
      }
    });
    this.on("close", () => closing.abort());
  }

  RED.nodes.registerType("camera-command", CameraCommand);
}

function requestOf({ req, payload }: HttpMessage, signal: AbortSignal): ApiRequest {
  const { camera_id: cameraId = req?.params?.id } = req?.params ?? {};
  return {
    body: payload,
    cameraId,
    ...(req && { http: { method: req.method, headers: req.headers } }),
    signal,
  };
}

/** @returns the answer where nothing was played. */
async function play(
  pictures: NonNullable<Answer["play"]>,
  response: LiveResponse | undefined,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  try {
    if (!response) throw noResponse();
    await pictures(response, signal);
    return undefined;
  } catch (error) {
    return toErrorAnswer(error);
  }
}

function toMessage({ status, headers, body }: Answer): object {
  return { payload: body, statusCode: status, headers };
}

function notReady(): CctvError {
  return new RefusedRequest(
    "SETTING_INVALID",
    503,
    "this node has no camera registry that runs; choose one in its dialog, and look at what the registry reports",
    { "retry-after": String(START_SECONDS) },
  );
}

function noResponse(): CctvError {
  return new CctvError(
    "MESSAGE_INVALID",
    "live pictures are sent to whoever asked by HTTP; wire this node behind an http in node",
  );
}
