import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { CctvError } from "../../errors.ts";
import { RtpOrder } from "./rtp-order.ts";

export interface MediaPacket {
  readonly kind: "rtp" | "rtcp";
  readonly data: Buffer;
}

export interface UdpPortsOptions {
  /** The address of this machine at which the camera talks to it. */
  readonly localAddress: string;
  /** The camera's. */
  readonly remoteAddress: string;
  readonly onPacket: (packet: MediaPacket) => void;
}

/** Where the camera sends from, as it said. */
export interface UdpOrigin {
  readonly rtpPort: number | undefined;
  readonly rtcpPort: number | undefined;
  /** An address other than that of the session, from which packets may come. */
  readonly source: string | undefined;
}

const MOST_TRIES = 30;
/** Room for a key frame that comes all at once while this process is busy. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
const RELEASE_EVERY_MS = 20;
/** Nothing but their headers: they open the way back through firewalls and address translation. */
const EMPTY_RTP = Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const EMPTY_RTCP = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]);

/** A pair of UDP ports, an even one for RTP and the next for RTCP (RFC 3550, 11), and the packets that come there. */
export class UdpPorts {
  readonly rtpPort: number;
  readonly #options: UdpPortsOptions;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #order = new RtpOrder();
  #release: NodeJS.Timeout | undefined;
  #origin: UdpOrigin | undefined;

  private constructor(options: UdpPortsOptions, rtp: Socket, rtcp: Socket) {
    this.#options = options;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.rtpPort = rtp.address().port;
    rtp.on("message", (data, from) => {
      if (this.#isFromCamera(from)) this.#give(this.#order.push(data, performance.now()));
    });
    rtcp.on("message", (data, from) => {
      if (this.#isFromCamera(from)) options.onPacket({ kind: "rtcp", data });
    });
    // A camera that refuses a packet of ours is no reason to stop listening.
    for (const socket of [rtp, rtcp]) socket.on("error", () => {});
  }

  /** @throws CctvError STREAM_LOST where this machine has no such pair left */
  static async open(options: UdpPortsOptions): Promise<UdpPorts> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const one = await bind(options.localAddress, 0);
      if (!one) break;
      const { port } = one.address();
      const isEven = port % 2 === 0;
      const other = await bind(options.localAddress, isEven ? port + 1 : port - 1);
      if (other) return isEven ? new UdpPorts(options, one, other) : new UdpPorts(options, other, one);
      await close(one);
    }
    throw new CctvError("STREAM_LOST", "this machine has no pair of UDP ports left for a camera; choose TCP");
  }

  /** Now it is known where the camera sends from. */
  expect(origin: UdpOrigin): void {
    this.#origin = origin;
    const { remoteAddress } = this.#options;
    if (origin.rtpPort) this.#rtp.send(EMPTY_RTP, origin.rtpPort, remoteAddress, () => {});
    this.sendRtcp(EMPTY_RTCP);
  }

  sendRtcp(data: Buffer): void {
    const port = this.#origin?.rtcpPort;
    if (port) this.#rtcp.send(data, port, this.#options.remoteAddress, () => {});
  }

  async close(): Promise<void> {
    clearTimeout(this.#release);
    await Promise.all([close(this.#rtp), close(this.#rtcp)]);
  }

  #isFromCamera({ address }: RemoteInfo): boolean {
    return address === this.#options.remoteAddress || address === this.#origin?.source;
  }

  #give(packets: readonly Buffer[]): void {
    for (const data of packets) this.#options.onPacket({ kind: "rtp", data });
    clearTimeout(this.#release);
    if (!this.#order.isWaiting) return;
    this.#release = setTimeout(() => this.#give(this.#order.release(performance.now())), RELEASE_EVERY_MS);
  }
}

async function bind(address: string, port: number): Promise<Socket | undefined> {
  const type = isIPv6(address) ? "udp6" : "udp4";
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
  try {
    socket.bind(port, address);
    await once(socket, "listening");
    return socket;
  } catch {
    await close(socket);
    return undefined;
  }
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
