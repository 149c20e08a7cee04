import { CctvError } from "../../../errors.ts";
import type { CameraHttp, HttpAnswer } from "../../http/camera-http.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { isSuccess, orNotFound } from "../../http/whole-answer.ts";
import { type KeyValues, readKeyValues } from "./key-values.ts";

/** Old firmware says so with a status of 200. */
const FAILURE = /^\s*Error\b/;
const DEVICE_TYPE = "magicBox.cgi?action=getDeviceType";

/** Dahua's HTTP interface: texts of `key=value` below `/cgi-bin/`. */
export class DahuaCgi {
  readonly #http: CameraHttp;
  readonly #where: string;
  /** The device has taken the login at least once. */
  #accepted = false;

  /** @param where the device, for people */
  constructor(http: CameraHttp, where: string) {
    this.#http = http;
    this.#where = where;
  }

  /**
   * The first thing to ask for: it tells whether the login is good and whether this is a Dahua device at all.
   * Undefined where the account may not read it.
   * @throws CctvError as `CameraHttp.get`; CAMERA_REFUSED where something else answers.
   */
  async deviceType(signal: AbortSignal): Promise<KeyValues | undefined> {
    const answer = await this.watch(this.#http.get(cgiPath(DEVICE_TYPE), { signal })).catch((error: unknown) => {
      throw error instanceof CctvError && error.code === "CAMERA_NOT_FOUND" ? this.#notDahua(error) : error;
    });
    if (answer.status === 403) return undefined;
    if (answer.status >= 500) throw explainStatus(answer.status, answer.headers, this.#where);
    const values = readAnswer(answer);
    if (!values?.has("type")) throw this.#notDahua();
    return values;
  }

  /**
   * Values that not every device has and not every account may read; undefined then.
   * @throws CctvError as `CameraHttp.get`.
   */
  async values(path: string, signal: AbortSignal): Promise<KeyValues | undefined> {
    return readAnswer(await this.answer(path, signal));
  }

  /** Whatever comes; a 404 too is an answer. @throws CctvError as `CameraHttp.get`. */
  async answer(path: string, signal: AbortSignal, maxBytes?: number): Promise<HttpAnswer> {
    const options = { signal, ...(maxBytes !== undefined && { maxBytes }) };
    return this.watch(orNotFound(this.#http.get(cgiPath(path), options)));
  }

  /** These devices also refuse a good login when they have too many connections. */
  async watch<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked;
      this.#accepted = true;
      return answer;
    } catch (error) {
      if (!this.#accepted || !(error instanceof CctvError) || error.code !== "CAMERA_AUTH_FAILED") throw error;
      throw new CctvError(
        "CAMERA_AUTH_FAILED",
        `${this.#where} refuses a login that it has taken before; close other viewers if it has too many, or correct the password if it was changed`,
        { cause: error },
      );
    }
  }

  #notDahua(cause?: CctvError): CctvError {
    const seen = cause ? `: ${cause.message}` : "";
    return new CctvError(
      "CAMERA_REFUSED",
      `${this.#where} does not answer as a Dahua device; check the port and the kind of the camera${seen}`,
      { cause },
    );
  }
}

export function cgiPath(path: string): string {
  return `/cgi-bin/${path}`;
}

function readAnswer(answer: HttpAnswer): KeyValues | undefined {
  const text = answer.body.toString();
  return isSuccess(answer) && !FAILURE.test(text) ? readKeyValues(text) : undefined;
}
