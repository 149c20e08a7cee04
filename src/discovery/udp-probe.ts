import { createSocket, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalInterface } from "./network.ts";

/** A question to all hosts of a network and how to read what they answer. */
export interface UdpProbe<Answer> {
  /** Where it is sent. */
  readonly port: number;
  /** The multicast group that it goes to; without one it goes to the network's broadcast address. */
  readonly group?: string;
  /** Also to the broadcast address, for networks that swallow multicast. */
  readonly alsoBroadcast?: boolean;
  /** The answers come to this port, of the group too; otherwise to the port that the question came from. */
  readonly replyPort?: number;
  /** The packets of one round. */
  questions(): readonly Buffer[];
  /** What a packet says; nothing where it is no answer to this question. Must bear any bytes. */
  read(packet: Buffer, sender: string): readonly Answer[];
}

export interface UdpAsking {
  /** One socket is opened on each. */
  readonly interfaces: readonly LocalInterface[];
  /** Single hosts to be asked instead, wherever they are. */
  readonly hosts?: readonly string[];
  /** When to ask, milliseconds from the start, in order. */
  readonly rounds: readonly number[];
  /** When to stop listening, milliseconds from the start. */
  readonly listenMs: number;
  readonly signal: AbortSignal;
  /** Told what could not be opened or sent; the other interfaces go on. */
  readonly onTrouble?: (error: Error) => void;
}

/** No answer that we ask for is longer. */
const MOST_BYTES = 32 * 1024;
/** Of one sender: a device answers each question once. */
const MOST_PACKETS_PER_SENDER = 64;
const MOST_SENDERS = 4096;

/**
 * Asks on every interface in rounds and hands on each answer as it comes.
 * Resolves when the time is over and all sockets are closed; also when the signal aborts.
 */
export async function askByUdp<Answer>(
  probe: UdpProbe<Answer>,
  asking: UdpAsking,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const { interfaces, rounds, listenMs, signal, onTrouble = () => undefined } = asking;
  const packets = new Map<string, number>();
  const receive = (packet: Buffer, { address }: { address: string }): void => {
    const count = (packets.get(address) ?? 0) + 1;
    const isTooMany = count > MOST_PACKETS_PER_SENDER || (count === 1 && packets.size >= MOST_SENDERS);
    if (isTooMany || packet.length > MOST_BYTES || signal.aborted) return;
    packets.set(address, count);
    for (const answer of probe.read(packet, address)) onAnswer(answer);
  };
  const opened = await Promise.all(
    interfaces.map((local) =>
      open(probe, local, receive, onTrouble).catch((error: Error) => {
        onTrouble(error);
        return undefined;
      }),
    ),
  );
  const lines = opened.filter((line) => line !== undefined);
  try {
    let now = 0;
    for (const round of [...rounds, listenMs]) {
      await sleep(Math.max(round - now, 0), undefined, { signal });
      now = round;
      if (round < listenMs) for (const line of lines) ask(probe, line, asking.hosts, onTrouble);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(lines.map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }
}

interface Line {
  readonly socket: Socket;
  readonly local: LocalInterface;
}

async function open<Answer>(
  { group, replyPort }: UdpProbe<Answer>,
  local: LocalInterface,
  receive: (packet: Buffer, sender: { address: string }) => void,
  onTrouble: (error: Error) => void,
): Promise<Line> {
  const socket = createSocket({ type: "udp4", reuseAddr: replyPort !== undefined });
  socket.on("message", receive);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      // A group's packets reach a socket of the group's port on any address, not one bound to the interface's own.
      socket.bind(replyPort === undefined ? { address: local.address } : { port: replyPort }, resolve);
    });
    socket.removeAllListeners("error").on("error", onTrouble);
    socket.setBroadcast(true);
    if (group !== undefined) socket.setMulticastInterface(local.address);
    if (group !== undefined && replyPort !== undefined) socket.addMembership(group, local.address);
    return { socket, local };
  } catch (error) {
    socket.close();
    throw error;
  }
}

function ask<Answer>(
  probe: UdpProbe<Answer>,
  { socket, local }: Line,
  hosts: readonly string[] | undefined,
  onTrouble: (error: Error) => void,
): void {
  const { group, port, alsoBroadcast = group === undefined } = probe;
  const everybody = [...(group === undefined ? [] : [group]), ...(alsoBroadcast ? [local.broadcast] : [])];
  for (const question of probe.questions()) {
    for (const target of hosts ?? everybody) {
      socket.send(question, port, target, (error) => {
        if (error) onTrouble(error);
      });
    }
  }
}
