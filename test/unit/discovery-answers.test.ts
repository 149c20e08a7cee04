import assert from "node:assert/strict";
import { dhip, frameDhip, readDhip } from "../../src/discovery/dhip.ts";
import { readRecords, writeQuestion } from "../../src/discovery/dns.ts";
import { gvcp, readGvcp } from "../../src/discovery/gvcp.ts";
import { readMdns } from "../../src/discovery/mdns.ts";
import { readSadp, sadp } from "../../src/discovery/sadp.ts";
import { readMac, type Sighting, shown } from "../../src/discovery/sighting.ts";
import { readDescription, readSsdp } from "../../src/discovery/ssdp.ts";
import { readProbeMatches, wsDiscovery } from "../../src/discovery/ws-discovery.ts";
import { seededRandom } from "./seeded-random.ts";

const SENDER = "192.168.1.64";
const ID = "urn:uuid:00000000-0000-4000-8000-000000000001";
const ENDPOINT = "urn:uuid:5f5a69c2-0000-4000-8000-0123456789ab";
const SCOPES =
  "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/NC-200 onvif://www.onvif.org/name/Back%20door onvif://www.onvif.org/location/city/Graz";

const match = (parts: { xaddrs?: string; scopes?: string; types?: string; endpoint?: string } = {}): string =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>${parts.endpoint ?? ENDPOINT}</a:Address></a:EndpointReference>` +
  `<d:Types>${parts.types ?? "dn:NetworkVideoTransmitter"}</d:Types><d:Scopes>${parts.scopes ?? SCOPES}</d:Scopes>` +
  `${parts.xaddrs === undefined ? "" : `<d:XAddrs>${parts.xaddrs}</d:XAddrs>`}</d:ProbeMatch>`;
const answer = (matches: string, relatesTo = ID): string =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>${relatesTo}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>${matches}</d:ProbeMatches></s:Body></s:Envelope>`;
const read = (text: string): Sighting[] => readProbeMatches(text, SENDER, new Set([ID]));
const urls = (xaddrs: string) => read(answer(match({ xaddrs }))).map(({ services }) => services?.map(({ url }) => url));

/** No reader may throw or wait, whatever bytes come. */
function survives(reader: (packet: Buffer) => unknown, good: Buffer): void {
  const random = seededRandom(7);
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(good.subarray(0, Math.ceil(random() * good.length)));
    for (let change = 0; change < 4; change++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    reader(bytes);
  }
  reader(Buffer.alloc(0));
  reader(Buffer.alloc(2000, 0xff));
}

describe("discovery: WS-Discovery", () => {
  it("asks for each type with an id of its own", () => {
    let count = 0;
    const texts = wsDiscovery(() => `id-${++count}`)
      .questions()
      .map(String);
    assert.equal(texts.length, 3);
    assert.equal(new Set(texts.map((text) => /MessageID>urn:uuid:(id-\d)</.exec(text)?.[1])).size, 3);
    assert.deepEqual(
      texts.map((text) => /<d:Types>(.*)<\/d:Types>/.exec(text)?.[1]),
      ["dn:NetworkVideoTransmitter", "tds:Device", undefined],
    );
  });

  it("reads name, hardware, place, endpoint and address", () => {
    const [sighting, ...others] = read(answer(match({ xaddrs: `http://${SENDER}/onvif/device_service` })));
    assert.equal(others.length, 0);
    assert.deepEqual(
      { ...sighting },
      {
        method: "ws-discovery",
        ip: SENDER,
        isCamera: true,
        endpoint: ENDPOINT,
        vendor: undefined,
        name: "Back door",
        hardware: "NC-200",
        location: "city/Graz",
        services: [{ protocol: "ONVIF", port: 80, url: `http://${SENDER}:80/onvif/device_service` }],
      },
    );
  });

  it("reads all matches of one answer", () => {
    const twins = read(answer(match() + match({ endpoint: ENDPOINT.replace("5f", "6f") })));
    assert.deepEqual(
      twins.map(({ endpoint }) => endpoint),
      [ENDPOINT, ENDPOINT.replace("5f", "6f")],
    );
  });

  for (const [what, xaddrs, expected] of [
    ["a port", `http://${SENDER}:8899/onvif/x?a=1`, [[`http://${SENDER}:8899/onvif/x?a=1`]]],
    ["HTTPS", `https://${SENDER}/onvif/device_service`, [[`https://${SENDER}:443/onvif/device_service`]]],
    ["no path", `http://${SENDER}`, [[`http://${SENDER}:80/onvif/device_service`]]],
    ["0.0.0.0", "http://0.0.0.0:8080/onvif/device_service", [[`http://${SENDER}:8080/onvif/device_service`]]],
    ["a link-local address", "http://169.254.7.7/onvif/x", [[`http://${SENDER}:80/onvif/x`]]],
    ["a link-local IPv6 address", "http://[fe80::1%25eth0]/onvif/x", [[`http://${SENDER}:80/onvif/x`]]],
    ["the same twice", `http://${SENDER}/x http://169.254.1.1/x`, [[`http://${SENDER}:80/x`]]],
    [
      "a link-local address beside its own",
      `http://169.254.1.1/x http://${SENDER}:8080/x`,
      [[`http://${SENDER}:8080/x`]],
    ],
    ["another host as well", `http://10.0.0.9/x http://${SENDER}/x`, [[`http://${SENDER}:80/x`]]],
    ["only another host", "http://127.0.0.1:1880/onvif/device_service", []],
    ["only a host by name", "http://localhost/onvif/device_service", []],
    ["a host in disguise", `http://${SENDER}@127.0.0.1/x`, []],
    ["no address", "", [[]]],
    ["no URL", "not a url", [[]]],
    ["another scheme", `file://${SENDER}/etc/passwd`, [[]]],
    ["a port that is none", `http://${SENDER}:99999/x`, []],
  ] as const) {
    it(`takes of XAddrs with ${what} what leads to the sender`, () => assert.deepEqual(urls(xaddrs), expected));
  }

  for (const [what, text] of [
    ["an answer to somebody else", answer(match(), "urn:uuid:other")],
    ["no RelatesTo", answer(match()).replace(/<s:Header>.*<\/s:Header>/, "")],
    ["garbage", "lollipop"],
    ["nothing", ""],
    ["a fault", answer("").replace(/<d:ProbeMatches>.*<\/d:ProbeMatches>/, "<s:Fault/>")],
    ["an empty body", answer("").replace(/<s:Body>.*<\/s:Body>/, "<s:Body/>")],
    ["no matches", answer("")],
    ["half an answer", answer(match()).slice(0, 300)],
    ["deep nesting", "<a>".repeat(5000)],
    ["names of JavaScript", answer("<__proto__><polluted/></__proto__>")],
  ] as const) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(read(text), []));
  }

  it("knows printers and computers from cameras", () => {
    const kinds = [
      match({ types: "wsdp:Device wprt:PrintDeviceType", scopes: "" }),
      match({ types: "wsdp:Device pub:Computer", scopes: "http://example.com/scope" }),
      match({ types: "tds:Device" }),
      match({ types: "dn:NetworkVideoTransmitter", scopes: "" }),
    ];
    assert.deepEqual(
      read(answer(kinds.join(""))).map(({ isCamera }) => isCamera),
      [false, false, true, true],
    );
  });

  it("bounds what a device says", () => {
    const long = `onvif://www.onvif.org/name/${"A".repeat(5000)}%0a%1b[31m`;
    const many = Array.from({ length: 500 }, (_, port) => `http://${SENDER}:${port + 1}/x`).join(" ");
    const [sighting] = read(answer(match({ scopes: long, xaddrs: many })));
    assert.equal(sighting?.name?.length, 120);
    assert.equal(sighting?.services?.length, 16);
    assert.equal(read(answer(match().repeat(500))).length, 64);
    assert.equal(shown(" a\u0000b\n\u001b[31mc\u202e "), "a b [31mc");
  });

  it("bears any bytes", () => {
    const good = Buffer.from(answer(match({ xaddrs: `http://${SENDER}/x` })));
    survives((packet) => read(packet.toString("utf8")), good);
  });
});

describe("discovery: SADP", () => {
  const UUID = "13A888A9-F1B1-4020-AE9F-05607682D23B";
  const text = (fields: string, uuid = UUID): string =>
    `<?xml version="1.0" encoding="UTF-8"?>\r\n<ProbeMatch><Uuid>${uuid}</Uuid><Types>inquiry</Types>${fields}</ProbeMatch>\r\n`;
  const good = text(
    "<DeviceDescription>DS-2CD & co</DeviceDescription><CommandPort>8000</CommandPort><HttpPort>81</HttpPort><MAC>c4-2f-90-01-02-03</MAC><IPv4Address>10.9.9.9</IPv4Address><Activated>false</Activated>",
  );

  it("asks with an id", () => {
    const [question] = sadp(() => UUID.toLowerCase()).questions();
    assert.match(String(question), /<Probe><Uuid>13A888A9-.*<Types>inquiry<\/Types><\/Probe>$/);
  });

  it("reads a device that nobody has activated, at the address that it answers from", () => {
    assert.deepEqual(readSadp(good, SENDER, UUID), [
      {
        method: "sadp",
        ip: SENDER,
        isCamera: true,
        mac: "c4:2f:90:01:02:03",
        vendor: "Hikvision",
        model: "DS-2CD & co",
        services: [{ protocol: "HTTP", port: 81, url: `http://${SENDER}:81/` }],
        ports: [8000],
        activated: false,
      },
    ]);
  });

  it("leaves out what is missing or cannot be", () => {
    const odd = text("<HttpPort>0</HttpPort><CommandPort>x</CommandPort><MAC>00-00-00-00-00-00</MAC>");
    const [sighting] = readSadp(odd, SENDER, UUID);
    assert.deepEqual(
      [sighting?.services, sighting?.ports, sighting?.mac, sighting?.activated],
      [[], [], undefined, undefined],
    );
  });

  for (const [what, packet] of [
    ["an answer to somebody else", good.replace(UUID, UUID.replace("13", "14"))],
    ["our own question", `<Probe><Uuid>${UUID}</Uuid><Types>inquiry</Types></Probe>`],
    ["garbage", "\u0000\u0001"],
  ] as const) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(readSadp(packet, SENDER, UUID), []));
  }

  it("bears any bytes", () => survives((packet) => readSadp(packet.toString("utf8"), SENDER, UUID), Buffer.from(good)));
});

describe("discovery: DHIP", () => {
  const message = {
    mac: "3c:ef:8c:01:02:03",
    method: "client.notifyDevInfo",
    params: {
      deviceInfo: { DeviceClass: "NVR", DeviceType: "NVR-16", HttpPort: 80, MachineName: "Office", Port: 37777 },
    },
  };

  it("asks with the header of 32 bytes", () => {
    const [question = Buffer.alloc(0)] = dhip().questions();
    assert.equal(question.toString("hex", 0, 8), "2000000044484950");
    const length = question.length - 32;
    assert.deepEqual([question.readUInt32LE(16), question.readUInt32LE(24)], [length, length]);
    assert.equal(JSON.parse(question.toString("utf8", 32)).method, "DHDiscover.search");
  });

  it("reads a recorder, with zeros behind its text", () => {
    const packet = Buffer.concat([frameDhip(message), Buffer.from("\n\0\0")]);
    assert.deepEqual(readDhip(packet, SENDER), [
      {
        method: "dhip",
        ip: SENDER,
        isCamera: true,
        mac: "3c:ef:8c:01:02:03",
        vendor: "Dahua",
        model: "NVR-16",
        name: "Office",
        services: [{ protocol: "HTTP", port: 80, url: `http://${SENDER}:80/` }],
        ports: [37777],
      },
    ]);
  });

  it("calls a door opener no camera", () => {
    const door = { ...message, params: { deviceInfo: { ...message.params.deviceInfo, DeviceClass: "BSC" } } };
    assert.equal(readDhip(frameDhip(door), SENDER)[0]?.isCamera, false);
  });

  for (const [what, packet] of [
    ["our own question", dhip().questions()[0] ?? Buffer.alloc(0)],
    ["another protocol", Buffer.from(frameDhip(message).toString("latin1").replace("DHIP", "DHAV"), "latin1")],
    ["no JSON", Buffer.concat([frameDhip(message).subarray(0, 40), Buffer.from("{{{")])],
    ["JSON of another kind", frameDhip([1, 2])],
    ["no device", frameDhip({ method: "client.notifyDevInfo", params: { deviceInfo: null } })],
    ["a header alone", frameDhip(message).subarray(0, 32)],
  ] as const) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(readDhip(packet, SENDER), []));
  }

  it("bears any bytes", () => survives((packet) => readDhip(packet, SENDER), frameDhip(message)));
});

describe("discovery: GVCP", () => {
  const [question = Buffer.alloc(8)] = gvcp().questions();
  const packet = Buffer.alloc(256);
  packet.writeUInt16BE(3, 2);
  packet.writeUInt16BE(248, 4);
  question.copy(packet, 6, 6, 8);
  packet.write("003053010203", 18, "hex");
  packet.write("Basler", 80);
  packet.write("area-12", 112);
  packet.write("belt", 240);

  it("asks with an id and for an answer", () => assert.match(question.toString("hex"), /^421100020000(?!0000)/));

  it("reads a camera", () => {
    assert.deepEqual(readGvcp(packet, SENDER), [
      {
        method: "gvcp",
        ip: SENDER,
        isCamera: true,
        mac: "00:30:53:01:02:03",
        vendor: "Basler",
        model: "area-12",
        name: "belt",
        services: [{ protocol: "GigE", port: 3956, url: `gige://${SENDER}` }],
        needsPassword: false,
      },
    ]);
  });

  const changed = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(packet);
    copy.writeUInt16BE(value, offset);
    return copy;
  };
  for (const [what, bytes] of [
    ["an error", changed(0, 0x8001)],
    ["another answer", changed(2, 0x81)],
    ["an answer to another question", changed(6, 1)],
    ["half an answer", packet.subarray(0, 200)],
    ["our own question", question],
  ] as const) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(readGvcp(bytes, SENDER), []));
  }

  it("bears any bytes", () => survives((bytes) => readGvcp(bytes, SENDER), packet));
});

describe("discovery: mDNS", () => {
  const name = (text: string): Buffer =>
    Buffer.concat([
      ...text.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
      Buffer.from([0]),
    ]);
  const record = (owner: Buffer, type: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(10);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(0x8001, 2);
    head.writeUInt16BE(data.length, 8);
    return Buffer.concat([owner, head, data]);
  };
  const packetOf = (answers: Buffer[], flags = 0x8400): Buffer => {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(flags, 2);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, ...answers]);
  };
  const srv = (port: number, host: string): Buffer => {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(port, 4);
    return Buffer.concat([head, name(host)]);
  };
  const SERVICE = "_axis-video._tcp.local";
  const INSTANCE = `AXIS P1 - ACCC8E010203.${SERVICE}`;
  const good = (address = [192, 168, 1, 64]): Buffer =>
    packetOf([
      record(name(SERVICE), 12, name(INSTANCE)),
      record(name(INSTANCE), 33, srv(80, "axis-1.local")),
      record(name(INSTANCE.toUpperCase()), 16, Buffer.from("\u0017macaddress=ACCC8E010203")),
      record(name("AXIS-1.local"), 1, Buffer.from(address)),
    ]);

  it("asks for all services in one packet, for an answer to itself", () => {
    const question = writeQuestion([SERVICE, "_rtsp._tcp.local"]);
    assert.equal(question.readUInt16BE(4), 2);
    assert.equal(question.subarray(12, 12 + name(SERVICE).length).compare(name(SERVICE)), 0);
    assert.equal(question.subarray(-4).toString("hex"), "000c8001");
  });

  it("reads a camera", () => {
    assert.deepEqual(readMdns(good(), SENDER), [
      {
        method: "mdns",
        ip: SENDER,
        isCamera: true,
        mac: "ac:cc:8e:01:02:03",
        vendor: "Axis",
        name: "AXIS P1 - ACCC8E010203",
        services: [{ protocol: "HTTP", port: 80, url: `http://${SENDER}:80/` }],
      },
    ]);
  });

  it("reads names that point back to where they stood before", () => {
    const pointer = Buffer.from([0xc0, 12]);
    const instance = Buffer.concat([Buffer.from("\u0003cam"), pointer]);
    const packet = packetOf([record(name("_rtsp._tcp.local"), 12, instance)]);
    assert.equal(readMdns(packet, SENDER)[0]?.name, "cam");
    assert.equal(readMdns(packet, SENDER)[0]?.vendor, undefined);
  });

  it("takes nothing from a repeater that answers for another host", () =>
    assert.deepEqual(readMdns(good([10, 0, 0, 9]), SENDER), []));

  const pointing = (bytes: number[]): Buffer => packetOf([record(Buffer.from(bytes), 12, name("x"))]);
  for (const [what, packet] of [
    ["a question", Buffer.from(good()).fill(0, 2, 4)],
    ["a name that points at itself", pointing([0xc0, 12])],
    ["names that point at each other", pointing([0xc0, 14, 0xc0, 12])],
    ["a name that points forwards", pointing([0xc0, 30])],
    ["a label of a kind that is not known", pointing([0x80, 1, 0])],
    ["a name without an end", Buffer.concat([good().subarray(0, 12), Buffer.alloc(300, 1)])],
    ["more records than there are", Buffer.from(good()).fill(0xff, 6, 8)],
    ["a record that reaches over the end", good().subarray(0, -2)],
    ["a service that is no camera's", packetOf([record(name("_ipp._tcp.local"), 12, name("p._ipp._tcp.local"))])],
  ] as const) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(readMdns(packet, SENDER), []));
  }

  it("reads no name of more than 255 characters", () => {
    const long = name(Array.from({ length: 60 }, () => "abcdefgh").join("."));
    assert.deepEqual(readRecords(packetOf([record(long, 12, name("x"))])), []);
  });

  it("bears any bytes", () => survives((packet) => readMdns(packet, SENDER), good()));
});

describe("discovery: SSDP", () => {
  const text = (location: string): Buffer =>
    Buffer.from(`HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: ${location}\r\nUSN: uuid:1\r\n\r\n`);

  it("takes a description of the sender alone", () => {
    assert.deepEqual(readSsdp(text(`http://${SENDER}:49154/desc.xml`), SENDER), [
      { ip: SENDER, port: 49154, path: "/desc.xml" },
    ]);
    for (const other of [
      "http://127.0.0.1:1880/desc.xml",
      `http://${SENDER}@127.0.0.1:80/x`,
      `http://${SENDER}.evil.example:80/x`,
      `https://${SENDER}:443/x`,
      `http://${SENDER}:0/x`,
      `http://${SENDER}:99999/x`,
      `file://${SENDER}/etc/passwd`,
      "",
    ]) {
      assert.deepEqual(readSsdp(text(other), SENDER), [], other);
    }
    assert.deepEqual(readSsdp(Buffer.from("NOTIFY * HTTP/1.1\r\n\r\n"), SENDER), []);
  });

  const description = (device: string): string => `<?xml version="1.0"?><root><device>${device}</device></root>`;
  for (const [what, device, isCamera, vendor] of [
    ["a camera by its maker", "<manufacturer>AXIS</manufacturer>", true, "Axis"],
    [
      "a camera by its kind",
      "<deviceType>urn:schemas-upnp-org:device:DigitalSecurityCamera:1</deviceType>",
      true,
      undefined,
    ],
    ["a television set", "<manufacturer>Sony Corporation</manufacturer>", false, "Sony"],
    ["a television set of Samsung", "<manufacturer>Samsung Electronics</manufacturer>", false, undefined],
    ["a router", "<manufacturer>AVM</manufacturer>", false, undefined],
  ] as const) {
    it(`knows ${what}`, () => {
      const [sighting] = readDescription(description(device), SENDER);
      assert.deepEqual([sighting?.isCamera, sighting?.vendor], [isCamera, vendor]);
    });
  }

  it("reads what a device is", () => {
    const fields =
      "<manufacturer>AXIS</manufacturer><friendlyName>Yard</friendlyName><modelName>P1</modelName><serialNumber>ACCC8E010203</serialNumber>";
    const [sighting] = readDescription(description(fields), SENDER);
    assert.deepEqual([sighting?.name, sighting?.model, sighting?.mac], ["Yard", "P1", "ac:cc:8e:01:02:03"]);
  });

  it("finds nothing in what is no XML", () => assert.deepEqual(readDescription("<html", SENDER), []));
});

describe("discovery: MACs", () => {
  for (const [text, mac] of [
    ["C4-2F-90-01-02-03", "c4:2f:90:01:02:03"],
    ["c42f90010203", "c4:2f:90:01:02:03"],
    ["c42f.9001.0203", "c4:2f:90:01:02:03"],
    ["00:00:00:00:00:00", undefined],
    ["ff:ff:ff:ff:ff:ff", undefined],
    ["01:00:5e:00:00:01", undefined],
    ["c42f9001020", undefined],
    [42, undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(readMac(text), mac));
  }
});
