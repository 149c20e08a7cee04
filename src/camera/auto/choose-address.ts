import { CctvError } from "../../errors.ts";
import { brandAddresses } from "../brands/brands.ts";
import { type HostAnswers, isPlaylist, showsPictures, type WebAnswer } from "./ask-host.ts";

/** What somebody typed. */
export interface HostToOpen {
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  /** Absent where none was typed. */
  readonly port?: number | undefined;
  /** Empty, or from the first `/` or `?` on. */
  readonly path: string;
  /** Counted from 1. */
  readonly channel: number;
  readonly stream: "main" | "sub";
}

/**
 * Chooses what to open at a host by what it answered, the surest first:
 * a typed path by the server that is there; the maker's own interface, which knows the channels; ONVIF; the
 * brand's RTSP; what plays without a path; the brand's MJPEG. At most one login is tried at what is chosen, so
 * that no path is guessed.
 *
 * @throws CctvError ADDRESS_INVALID, CAMERA_UNREACHABLE
 */
export function chooseAddress(wanted: HostToOpen, answers: HostAnswers): string {
  const { host, path } = wanted;
  if (!answers.rtsp && !answers.http && !answers.onvif) throw nobody(wanted);
  const chosen = path.length > 1 ? byPath(host, path, answers) : byHost(wanted, answers);
  if (chosen === undefined) throw unknown(wanted, answers);
  return chosen;
}

function byPath(host: string, path: string, { rtsp, http }: HostAnswers): string | undefined {
  if (rtsp) return `rtsp://${host}:${rtsp.port}${path}`;
  if (http) return `${schemeOf(http)}://${host}:${http.port}${path}`;
  return undefined;
}

function byHost({ host, channel, stream }: HostToOpen, { rtsp, http, onvif, brand }: HostAnswers): string | undefined {
  if (brand && brand.protocol !== "brand" && http) {
    return `${brand.scheme}${http.isSecure ? "s" : ""}://${host}:${http.port}`;
  }
  if (onvif) return `onvif${onvif.isSecure ? "s" : ""}://${host}:${onvif.port}`;
  if (brand && rtsp) {
    if (brand.protocol === "brand") return `${brand.scheme}://${host}:${rtsp.port}`;
    return brandAddresses(brand, { host, port: rtsp.port, channel, stream }).rtsp;
  }
  if (rtsp?.status === 200) return `rtsp://${host}:${rtsp.port}/`;
  if (http && showsPictures(http)) return pictureAddress(host, http);
  const [mjpeg] = brand && http ? brandAddresses(brand, { host, httpPort: http.port, channel, stream }).mjpeg : [];
  if (mjpeg !== undefined) return http?.isSecure ? mjpeg.replace(/^http:/, "https:") : mjpeg;
  // Behind the login there may be a stream; a web page says that it is one.
  if (http?.status === 401 && !rtsp) return `${schemeOf(http)}://${host}:${http.port}/`;
  return undefined;
}

function pictureAddress(host: string, http: WebAnswer): string {
  const { port, isSecure, contentType } = http;
  if (isPlaylist(contentType)) return `${isSecure ? "hlss" : "hls"}://${host}:${port}/`;
  return `${schemeOf(http)}://${host}:${port}/`;
}

function schemeOf({ isSecure }: WebAnswer): "http" | "https" {
  return isSecure ? "https" : "http";
}

function nobody({ host, port }: HostToOpen): CctvError {
  const hint =
    port === undefined
      ? "at the usual ports; check its spelling, its cable and its power, and write host:port where it listens elsewhere"
      : `at port ${port}; check host and port, and whether the camera is running`;
  return new CctvError("CAMERA_UNREACHABLE", `${host} does not answer as a camera does ${hint}`);
}

function unknown({ host }: HostToOpen, { rtsp, http, brand }: HostAnswers): CctvError {
  const seen = brand ? `${host} seems to be of ${brand.label}` : `${host} does not say which brand it is`;
  if (rtsp) {
    return new CctvError(
      "ADDRESS_INVALID",
      `${seen} and wants the path of its RTSP stream; set it up by its brand, or enter the whole address from its manual, such as rtsp://${host}:${rtsp.port}/stream1`,
    );
  }
  const where = http ? `${schemeOf(http)}://${host}:${http.port}` : host;
  return new CctvError(
    "ADDRESS_INVALID",
    `${seen} and shows a web page at ${where} but no pictures; set it up by its brand, or enter the whole address of its stream`,
  );
}
