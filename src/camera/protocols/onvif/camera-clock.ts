import { CctvError } from "../../../errors.ts";
import type { CameraHttp, HttpAnswer } from "../../http/camera-http.ts";
import { childOf, textOf, type XmlElement } from "../../xml.ts";
import { readEnvelope, writeEnvelope } from "./envelope.ts";
import { DEVICE_NAMESPACE, SOAP_TYPE } from "./services.ts";

const REQUEST = { operation: "GetSystemDateAndTime", namespace: DEVICE_NAMESPACE };
const EARLIEST_YEAR = 1970;
const LATEST_YEAR = 2200;

export interface ClockOptions {
  /** A client without a login, for one request: after a refusal it is of no more use. */
  readonly openHttp: () => CameraHttp;
  /** Of the device service. */
  readonly path: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * How far the camera's clock is ahead of ours, in milliseconds: what it tells without a login, else the
 * date of an HTTP answer, else nothing.
 *
 * @throws the signal's reason when it aborts; CctvError CAMERA_STALLED, CAMERA_UNREACHABLE
 */
export async function measureClock(options: ClockOptions): Promise<number> {
  const { path, signal } = options;
  const data = Buffer.from(writeEnvelope(REQUEST, ""));
  const asked = await ask(options, (http) => http.send("POST", path, { type: SOAP_TYPE, data }, { signal }));
  const told = asked && (systemTime(asked.answer) ?? headerTime(asked.answer));
  if (asked && told !== undefined) return told - asked.at;
  const looked = await ask(options, (http) => http.get(path, { signal }));
  const shown = looked && headerTime(looked.answer);
  return looked && shown !== undefined ? shown - looked.at : 0;
}

/** Reads `GetSystemDateAndTimeResponse`: epoch milliseconds, undefined where it holds no time. */
export function readSystemTime(answer: XmlElement): number | undefined {
  const utc = childOf(answer, "SystemDateAndTime", "UTCDateTime");
  const field = (...path: string[]) => Number.parseInt(textOf(utc, ...path) ?? "", 10);
  const year = field("Date", "Year");
  const date = [year, field("Date", "Month") - 1, field("Date", "Day")] as const;
  const time = [field("Time", "Hour"), field("Time", "Minute"), field("Time", "Second")] as const;
  const epoch = Date.UTC(...date, ...time);
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR && Number.isFinite(epoch) ? epoch : undefined;
}

/** One request, and when it was half done; undefined where the camera wants a login or has nothing there. */
async function ask(
  { openHttp, now, signal }: ClockOptions,
  request: (http: CameraHttp) => Promise<HttpAnswer>,
): Promise<{ answer: HttpAnswer; at: number } | undefined> {
  const http = openHttp();
  const startedAt = now();
  try {
    const answer = await request(http);
    return { answer, at: (startedAt + now()) / 2 };
  } catch (error) {
    if (signal.aborted || !(error instanceof CctvError)) throw error;
    if (error.code === "CAMERA_STALLED" || error.code === "CAMERA_UNREACHABLE") throw error;
    return undefined;
  } finally {
    await http.close();
  }
}

function systemTime({ status, body }: HttpAnswer): number | undefined {
  try {
    return readSystemTime(readEnvelope(body.toString(), status, REQUEST.operation, "the camera"));
  } catch {
    return undefined;
  }
}

function headerTime({ headers }: HttpAnswer): number | undefined {
  const time = Date.parse(headers.date ?? "");
  return Number.isFinite(time) ? time : undefined;
}
