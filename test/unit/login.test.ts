import assert from "node:assert/strict";
import { parseChallenges } from "../../src/camera/http/digest.ts";
import { Login } from "../../src/camera/http/login.ts";

const credentials = { username: "admin", password: "secret" };
const offers = (nonce: string, more = "") => parseChallenges([`Digest realm="r", nonce="${nonce}", qop="auth"${more}`]);
const basic = parseChallenges(['Basic realm="r"']);

describe("login", () => {
  let clientNonces: number;
  const start = () => {
    clientNonces = 0;
    return new Login(credentials, (bytes) => Buffer.alloc(bytes, ++clientNonces));
  };
  const sent = (header: string | undefined) => {
    const [, nonce, count] = /nonce="([^"]*)".*nc=([0-9a-f]{8})/.exec(header ?? "") ?? [];
    return header === undefined ? undefined : [nonce, Number.parseInt(count ?? "", 16)];
  };

  it("asks for a challenge once, then counts the requests of its nonce from 1", () => {
    const login = start();
    const round = login.begin("GET", "/");
    assert.equal(round.authorize(), undefined);
    assert.deepEqual(round.challenged(offers("n1")), { kind: "again" });
    assert.deepEqual(sent(round.authorize()), ["n1", 1]);
    for (const count of [2, 3]) assert.deepEqual(sent(login.begin("GET", "/x").authorize()), ["n1", count]);
    assert.equal(clientNonces, 1);
  });

  it("goes on with the next nonce that the server names, and counts from 1 again", () => {
    const login = start();
    login.begin("GET", "/").challenged(offers("n1"));
    login.begin("GET", "/").authorize();
    login.accepted({ "authentication-info": 'qop=auth, nextnonce="n2"' });
    assert.deepEqual(sent(login.begin("GET", "/").authorize()), ["n2", 1]);
    login.accepted({});
    assert.deepEqual(sent(login.begin("GET", "/").authorize()), ["n2", 2]);
  });

  it("renews a stale nonce once in a request, and no more", () => {
    const round = start().begin("GET", "/");
    round.challenged(offers("n1"));
    assert.deepEqual(round.challenged(offers("n2", ", stale=true")), { kind: "again" });
    assert.deepEqual(sent(round.authorize()), ["n2", 1]);
    assert.deepEqual(round.challenged(offers("n3", ", stale=true")), { kind: "refused" });
  });

  it("takes another nonce that is not called stale for a refusal, right after the first", () => {
    const round = start().begin("GET", "/");
    round.challenged(offers("n1"));
    assert.deepEqual(round.challenged(offers("n2")), { kind: "refused" });
  });

  it("takes one that comes later for an old nonce, once", () => {
    const login = start();
    login.begin("GET", "/").challenged(offers("n1"));
    const round = login.begin("GET", "/");
    assert.deepEqual(sent(round.authorize()), ["n1", 1]);
    assert.deepEqual(round.challenged(offers("n2")), { kind: "again" });
    assert.deepEqual(round.challenged(offers("n3")), { kind: "refused" });
  });

  it("sends Basic only where no Digest is offered", () => {
    const round = start().begin("GET", "/");
    assert.deepEqual(round.challenged(basic), { kind: "again" });
    assert.equal(round.authorize(), "Basic YWRtaW46c2VjcmV0");
    const unknown = parseChallenges(['Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=SHA-512-256']);
    assert.deepEqual(start().begin("GET", "/").challenged(unknown), { kind: "unknown", schemes: ["basic", "digest"] });
  });
});
