import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** The answer of an RTSP or HTTP server to one question. */
export interface Banner {
  readonly protocol: "RTSP" | "HTTP";
  readonly status: number;
  /** The values of each header, by its lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Its beginning. */
  readonly body: string;
}

export interface Question {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Sent as it stands. */
  readonly text: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const MOST_BYTES = 32 * 1024;
const STATUS_LINE = /^(RTSP|HTTP)\/\d\.\d (\d{3})\b/;
const END_OF_HEADERS = /\r?\n\r?\n/;

/**
 * Asks once and reads what comes, until the answer is whole, the server hangs up or the time is over.
 * Nothing is ever sent but the question: no login, no second try, no other address.
 *
 * @returns undefined where no RTSP or HTTP server answers.
 * @throws the signal's reason when it aborts.
 */
export function readBanner(question: Question): Promise<Banner | undefined> {
  const { host, port, text, timeoutMs, signal } = question;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let received = Buffer.alloc(0);
    // No secret is sent, so any certificate will do: here we only ask who is there.
    const socket: Socket = question.tls
      ? connectTls({ host, port, rejectUnauthorized: false }, () => socket.write(text))
      : connect({ host, port }, () => socket.write(text));
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(parseBanner(received.toString("latin1")));
    };
    const abort = (): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(signal.reason);
    };
    const timer = setTimeout(settle, timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("data", (data: Buffer) => {
      received = Buffer.concat([received, data.subarray(0, MOST_BYTES - received.length)]);
      if (received.length >= MOST_BYTES || isWhole(received.toString("latin1"))) settle();
    });
    socket.on("error", settle).on("close", settle);
  });
}

/** Reads the beginning of an answer; undefined where it is neither RTSP nor HTTP. */
export function parseBanner(text: string): Banner | undefined {
  const [, protocol, status] = STATUS_LINE.exec(text) ?? [];
  if (protocol !== "RTSP" && protocol !== "HTTP") return undefined;
  const end = END_OF_HEADERS.exec(text);
  const head = end ? text.slice(0, end.index) : text;
  const headers = new Map<string, string[]>();
  for (const line of head.split(/\r?\n/).slice(1)) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const body = end ? text.slice(end.index + end[0].length) : "";
  return { protocol, status: Number(status), headers, body };
}

function isWhole(text: string): boolean {
  const banner = END_OF_HEADERS.test(text) ? parseBanner(text) : undefined;
  if (!banner) return false;
  const length = Number(banner.headers.get("content-length")?.[0] ?? (banner.protocol === "RTSP" ? 0 : Number.NaN));
  return banner.body.length >= length;
}
