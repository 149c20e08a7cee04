import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Takes RTSP in HTTP (QuickTime's tunnel) with a login, and passes what is inside on to an RTSP server on loopback. */
export async function serveTunnel(rtspPort: number, authorization: string) {
  const requests: string[] = [];
  const inner = new Map<string, Socket>();
  const sockets = new Set<Socket>();

  const welcome = (socket: Socket, head: string, rest: Buffer) => {
    const value = (name: string) => new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(head)?.[1] ?? "";
    const [method = ""] = head.split(" ");
    requests.push(method);
    if (value("authorization") !== authorization) {
      socket.end('HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="door"\r\n\r\n');
      return;
    }
    const cookie = value("x-sessioncookie");
    if (method === "GET") {
      const pipe = connect(rtspPort, "127.0.0.1");
      sockets.add(pipe.on("error", () => {}));
      inner.set(cookie, pipe);
      socket.write("HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n");
      pipe.pipe(socket);
      return;
    }
    let text = "";
    const decode = (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const whole = text.length - (text.length % 4);
      // Each message is encoded by itself, so padding may come anywhere.
      for (const [group] of text.slice(0, whole).matchAll(/.{4}/gs)) inner.get(cookie)?.write(group, "base64");
      text = text.slice(whole);
    };
    decode(rest);
    socket.on("data", decode);
  };

  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    let buffer = Buffer.alloc(0);
    const read = (bytes: Buffer) => {
      buffer = Buffer.concat([buffer, bytes]);
      const end = buffer.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", read);
      welcome(socket, buffer.toString("latin1", 0, end), buffer.subarray(end + 4));
    };
    socket.on("data", read);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
