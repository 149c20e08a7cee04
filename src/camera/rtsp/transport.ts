import { isIP } from "node:net";

/** What a camera agreed to in the Transport header of its answer to SETUP (RFC 2326, 12.39). */
export interface AgreedTransport {
  /** The channels of RTP and RTCP on the session's own connection. */
  readonly channels: readonly [rtp: number, rtcp: number] | undefined;
  /** The ports that it sends from. */
  readonly serverPorts: readonly [rtp: number, rtcp: number] | undefined;
  /** An IP address that it sends from, where it names one. */
  readonly source: string | undefined;
}

export function parseTransport(header: string): AgreedTransport {
  const source = /\bsource=([^;,\s]+)/i.exec(header)?.[1] ?? "";
  return {
    channels: pair(/\binterleaved=(\d{1,3})(?:-(\d{1,3}))?/i.exec(header), 255),
    serverPorts: pair(/\bserver_port=(\d{1,5})(?:-(\d{1,5}))?/i.exec(header), 65_535),
    source: isIP(source) ? source : undefined,
  };
}

/** The second number is the one after the first where it is left out. */
function pair(match: RegExpExecArray | null, largest: number): [number, number] | undefined {
  if (!match) return undefined;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return first <= largest && second <= largest ? [first, second] : undefined;
}
