import type { Node, NodeAPI, NodeDef } from "node-red";
import type { ApiAccess } from "../src/api/access/api-access.ts";
import { asCctvError, CctvError } from "../src/errors.ts";
import type { Logger } from "../src/logger.ts";
import { fleetCameras, type WatchableFleet } from "../src/socket/fleet-cameras.ts";
import type { SocketHost } from "../src/socket/mount.ts";
import { SocketServer } from "../src/socket/socket-server.ts";
import { loggerOf, whenStarted } from "./shared/report.ts";

interface SocketServerDef extends NodeDef {
  /** Id of a `camera-registry`, which knows the cameras, the API keys and whose web pages may connect. */
  registry?: string;
  path?: string;
}

/** What this node uses of a `camera-registry`. */
interface Registry {
  readonly fleet?: WatchableFleet;
  /** Absent until the keys are read. */
  readonly access?: Pick<ApiAccess, "check">;
  readonly origins?: readonly string[];
}

/** What `socket-in` and `socket-out` use of this node. */
export interface SocketServerNode extends Node {
  /** Absent while the settings are not valid. */
  sockets?: SocketServer;
}

/** Socket.IO on Node-RED's own port. */
export default function register(RED: NodeAPI): void {
  const pathsInUse = new Set<string>();

  function SocketServerConfig(this: SocketServerNode, def: SocketServerDef): void {
    RED.nodes.createNode(this, def);
    const started = whenStarted(RED);
    try {
      const path = pathSetting(def.path);
      if (pathsInUse.has(path)) {
        throw new CctvError(
          "SETTING_INVALID",
          `"Path" is ${path}, as that of another socket server; use that one, or give this one a path of its own`,
        );
      }
      const registry = RED.nodes.getNode(def.registry ?? "") as unknown as Registry | null;
      const sockets = openSockets(RED, path, registry, loggerOf(this));
      this.sockets = sockets;
      pathsInUse.add(path);
      this.on("close", (_removed: boolean, done: () => void) => {
        pathsInUse.delete(path);
        void sockets.close().finally(done);
      });
    } catch (error) {
      void started.then(() => this.error(asCctvError(error, "SETTING_INVALID"), {}));
    }
  }

  RED.nodes.registerType("socket-server", SocketServerConfig);
}

/** @throws CctvError SETTING_INVALID */
function openSockets(RED: NodeAPI, path: string, registry: Registry | null, logger: Logger): SocketServer {
  if (!registry?.fleet) {
    throw new CctvError("SETTING_INVALID", '"Cameras" names no camera registry that runs; choose one, or mend it');
  }
  return new SocketServer({
    host: hostOf(RED),
    path,
    origins: registry.origins ?? [],
    cameras: fleetCameras(registry.fleet),
    isReady: () => registry.access !== undefined,
    admit: (from) => {
      if (registry.access) return registry.access.check(from, "viewer");
      throw new CctvError("ACCESS_DENIED", "the API keys are not read yet; try again in a moment");
    },
    logger,
  });
}

/** @throws CctvError SETTING_INVALID */
function pathSetting(text: string | undefined): string {
  const path = (text ?? "").trim().replace(/\/+$/, "") || "/socket.io";
  if (/^(\/(?!\.+(\/|$))[\w.~-]+)+$/.test(path)) return path;
  throw new CctvError(
    "SETTING_INVALID",
    `"Path" is ${JSON.stringify(path)}; it takes a path of letters, digits, dots and dashes, such as /socket.io`,
  );
}

/** @throws CctvError SETTING_INVALID */
function hostOf(RED: NodeAPI): SocketHost {
  const { httpNodeRoot = "/" } = RED.settings as { httpNodeRoot?: string | false };
  if (httpNodeRoot === false) {
    throw new CctvError(
      "SETTING_INVALID",
      "httpNodeRoot is false in Node-RED's settings.js, so that no node can serve HTTP; take it out there",
    );
  }
  return { server: RED.server, app: RED.httpNode as unknown as SocketHost["app"], root: httpNodeRoot };
}
