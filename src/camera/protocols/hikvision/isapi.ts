import { CctvError } from "../../../errors.ts";
import type { CameraHttp, HttpAnswer } from "../../http/camera-http.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { startsAsJpeg } from "../../http/jpeg-scanner.ts";
import { isSuccess, orNotFound } from "../../http/whole-answer.ts";
import { parseXml, type XmlElement } from "../../xml.ts";

const DEVICE_INFO = "System/deviceInfo";
const MOST_PICTURE_BYTES = 8 * 1024 * 1024;

/** Hikvision's HTTP interface (ISAPI): documents of XML below `/ISAPI/`. */
export class Isapi {
  readonly #http: CameraHttp;
  readonly #where: string;

  /** @param where the device, for people */
  constructor(http: CameraHttp, where: string) {
    this.#http = http;
    this.#where = where;
  }

  /**
   * The first document to ask for: it tells whether the login is good and whether this is ISAPI at all.
   * Undefined where the account may not read it.
   * @throws CctvError as `CameraHttp.get`; CAMERA_REFUSED where something else answers.
   */
  async deviceInfo(signal: AbortSignal): Promise<XmlElement | undefined> {
    const answer = await this.#http.get(isapiPath(DEVICE_INFO), { signal }).catch((error: unknown) => {
      throw error instanceof CctvError && error.code === "CAMERA_NOT_FOUND" ? this.#notIsapi(error) : error;
    });
    if (answer.status === 403) return undefined;
    if (!isSuccess(answer)) throw explainStatus(answer.status, answer.headers, this.#where);
    const document = parseXml(answer.body.toString(), this.#where);
    if (document.name !== "DeviceInfo") throw this.#notIsapi();
    return document;
  }

  /**
   * A document that not every device has and not every account may read; undefined then.
   * @throws CctvError as `CameraHttp.get`.
   */
  async document(path: string, signal: AbortSignal): Promise<XmlElement | undefined> {
    const answer = await orNotFound(this.#http.get(isapiPath(path), { signal }));
    if (!isSuccess(answer)) return undefined;
    try {
      return parseXml(answer.body.toString(), this.#where);
    } catch {
      return undefined;
    }
  }

  /** A JPEG, or the answer that came instead. @throws CctvError as `CameraHttp.get`. */
  async picture(path: string, signal: AbortSignal): Promise<Buffer | HttpAnswer> {
    const answer = await orNotFound(this.#http.get(isapiPath(path), { signal, maxBytes: MOST_PICTURE_BYTES }));
    return isSuccess(answer) && startsAsJpeg(answer.body) ? answer.body : answer;
  }

  /** Sends a command. @throws CctvError as `CameraHttp.send`. */
  async put(path: string, xml: string, signal: AbortSignal): Promise<HttpAnswer> {
    const body = { type: "application/xml", data: Buffer.from(xml) };
    return orNotFound(this.#http.send("PUT", isapiPath(path), body, { signal }));
  }

  #notIsapi(cause?: CctvError): CctvError {
    const seen = cause ? `: ${cause.message}` : "";
    return new CctvError(
      "CAMERA_REFUSED",
      `${this.#where} does not answer as a Hikvision device; check the port and the kind of the camera${seen}`,
      { cause },
    );
  }
}

export function isapiPath(path: string): string {
  return `/ISAPI/${path}`;
}
