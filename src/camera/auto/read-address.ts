import { CctvError } from "../../errors.ts";
import { type NetworkAddress, parseNetworkAddress } from "../address.ts";

/** Addresses that this package reads without a double slash. */
const OWN_SCHEME = /^(?:webcam|file|gige):/i;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const WEB_SCHEME = /^https?:\/\//i;
const WEB_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const DEVICE_SERVICE = /^\/onvif\/device_service\b/i;

const WEBCAM = /^(?:\d{1,3}|\/dev\/.*)$/;
const FILE_PATH = /^(?:[a-z]:[\\/]|\.{0,2}[\\/]|~[\\/])|^[^/]*\\/i;
const VIDEO_FILE = /\.(?:3gp|avi|flv|m4v|mkv|mov|mp4|mpe?g|mts|ts|webm|wmv)$/i;

/** What the port tells, where it tells anything. */
const SCHEME_OF_PORT: Readonly<Record<number, string>> = {
  322: "rtsps",
  554: "rtsp",
  7441: "rtsps",
  7447: "rtsp",
  8554: "rtsp",
  10554: "rtsp",
  1935: "rtmp",
};

/** What the path tells, the first that fits. */
const SCHEME_OF_PATH: readonly (readonly [path: RegExp, scheme: string])[] = [
  [DEVICE_SERVICE, "onvif"],
  [/\.m3u8(?:$|[?#])/i, "http"],
  [/\.(?:jpe?g|mjpe?g|mjpg|cgi)(?:$|[?#])/i, "http"],
  [/^\/(?:ISAPI|axis-cgi|cgi-bin|stw-cgi)\//i, "http"],
  [/(?:^|\/)(?:mjpeg|mjpg)(?:$|[/?#])/i, "http"],
  [/^\/(?:Streaming\/Channels|cam\/realmonitor|unicast\/c\d|h26[45]|rtsp_tunnel|onvif\/profile|chID=)/i, "rtsp"],
  [/\/media\.(?:amp|smp)\b|\/live\.sdp\b|\/(?:h26[45])?Preview_\d\d_(?:main|sub)\b|^\/live\/ch\d/i, "rtsp"],
];

/**
 * Makes an address that the protocols understand out of whatever people paste: a URL, a host, a host with a port
 * or a path and no scheme, a file, the number of a webcam. Only the text is looked at: scheme, port, path and file
 * ending. Where they do not tell, it becomes `auto://host`, and the host has to be asked.
 *
 * @throws CctvError ADDRESS_INVALID; its message repeats nothing that could be a password.
 */
export function readAddress(typed: string): string {
  const text = typed.trim();
  if (text === "") {
    throw new CctvError("ADDRESS_INVALID", "the camera has no address; enter one, such as 192.168.1.64 or rtsp://…");
  }
  if (WEB_SCHEME.test(text)) return readWebAddress(text);
  if (SCHEME.test(text) || OWN_SCHEME.test(text) || WEBCAM.test(text)) return text;
  if (FILE_PATH.test(text) || isVideoFile(text)) return text;
  return readBareAddress(text);
}

/** The port that an address has; undefined where it has none. @throws CctvError ADDRESS_INVALID */
export function typedPort(address: string): number | undefined {
  // One that was typed does not follow the default.
  const [one, other] = [1, 2].map((port) => parseNetworkAddress(address, port).port);
  return one === other ? one : undefined;
}

/** `http://host` may be what the browser shows of a camera that has its pictures elsewhere. */
function readWebAddress(text: string): string {
  const address = parseNetworkAddress(text, 1);
  const port = typedPort(text);
  const usual = WEB_PORTS[address.scheme];
  const isSecure = address.scheme === "https";
  if (DEVICE_SERVICE.test(address.path)) return withScheme(isSecure ? "onvifs" : "onvif", text);
  const isBare = address.path === "" || address.path === "/";
  // At another port than 443 nobody could tell any more that it has TLS.
  if (!isBare || (isSecure && port !== undefined && port !== usual)) return text;
  return withScheme("auto", text);
}

function readBareAddress(text: string): string {
  const { path } = parseBare(text);
  const port = typedPort(`auto://${text}`);
  const byPath = SCHEME_OF_PATH.find(([pattern]) => pattern.test(path))?.[1];
  const byPort = port === undefined ? undefined : SCHEME_OF_PORT[port];
  // RTSP without a path is half an address: what the host is tells the path.
  if (byPort === "rtmp" || (byPort && path.length > 1)) return `${byPort}://${text}`;
  if (byPath) return `${byPath === "http" && port === 443 ? "https" : byPath}://${text}`;
  if (path.length > 1 && (port === 80 || port === 8080)) return `http://${text}`;
  if (path.length > 1 && port === 443) return `https://${text}`;
  return `auto://${text}`;
}

/** `clips/door.mp4` is a file, `camera.local/door.mp4` is not: a folder has no dot, a host's name or address has. */
function isVideoFile(text: string): boolean {
  const [first = "", ...rest] = text.split("/");
  if (!VIDEO_FILE.test(text) || first.includes("@")) return false;
  return rest.length === 0 || !/[.:]/.test(first);
}

function withScheme(scheme: string, url: string): string {
  return url.replace(SCHEME, `${scheme}://`);
}

function parseBare(text: string): NetworkAddress {
  try {
    return parseNetworkAddress(`auto://${text}`, 1);
  } catch (error) {
    throw new CctvError(
      "ADDRESS_INVALID",
      "this is no address of a camera; enter a whole one such as rtsp://192.168.1.64:554/stream, a host such as 192.168.1.64, a video file, or the number of a webcam",
      { cause: error },
    );
  }
}
