import type { Socket } from "socket.io";

/** Engine.IO's connection below a socket; it may begin with polling and go on with a WebSocket. */
export type Connection = Socket["conn"];

interface Packet {
  readonly data?: string | Buffer;
}

/**
 * Calls the listener whenever the connection has got rid of what it was given, over changes of its transport.
 * @returns ends that.
 */
export function onWritable(connection: Connection, listener: () => void): () => void {
  let { transport } = connection;
  const follow = (): void => {
    transport.off("ready", listener);
    transport = connection.transport;
    transport.on("ready", listener);
    listener();
  };
  transport.on("ready", listener);
  connection.on("upgrade", follow);
  return () => {
    transport.off("ready", listener);
    connection.off("upgrade", follow);
  };
}

/**
 * Cuts a connection off where it is given more while more waits than may: its client does not read.
 * It may come back, and then begins afresh.
 *
 * @param mostBytes that may wait
 * @returns ends the watch.
 */
export function limitBacklog(connection: Connection, mostBytes: number, onCut: () => void): () => void {
  let waiting = 0;
  const count = ({ data }: Packet): void => {
    if (waiting > mostBytes) {
      stop();
      connection.close(true);
      onCut();
    } else if (data !== undefined) {
      waiting += Buffer.byteLength(data);
    }
  };
  const empty = (): void => {
    waiting = 0;
  };
  const stop = (): void => {
    connection.off("packetCreate", count);
    connection.off("flush", empty);
  };
  connection.on("packetCreate", count);
  connection.on("flush", empty);
  return stop;
}
