import assert from "node:assert/strict";
import { LoginGuard, loginKey, pauseAfterRefusal } from "../../src/camera/login-guard.ts";
import { CctvError } from "../../src/errors.ts";

const MINUTE = 60_000;
const refusal = new CctvError("CAMERA_AUTH_FAILED", "wrong password");
const never = new AbortController().signal;

describe("pause after a refused login", () => {
  for (const [what, history, minutes] of [
    ["the first", { refusals: 1, accepted: false, locked: false }, 1],
    ["the second", { refusals: 2, accepted: false, locked: false }, 4],
    ["the third", { refusals: 3, accepted: false, locked: false }, 16],
    ["the fourth", { refusals: 4, accepted: false, locked: false }, 30],
    ["the hundredth", { refusals: 100, accepted: false, locked: false }, 30],
    ["a lock", { refusals: 1, accepted: false, locked: true }, 30],
    ["one that was good before", { refusals: 1, accepted: true, locked: false }, 360],
    ["a lock of one that was good before", { refusals: 1, accepted: true, locked: true }, 360],
  ] as const) {
    it(`${what}: ${minutes} minutes`, () => assert.equal(pauseAfterRefusal(history), minutes * MINUTE));
  }
});

describe("login guard", () => {
  let now = 0;
  let guard: LoginGuard;
  /** Whether a try has begun by now. */
  const attempt = (key: string | undefined, signal = never) => {
    const state = { outcome: "waiting" as "waiting" | "begun" | "refused" | "aborted" };
    const entered = guard.enter(key, signal);
    entered.then(
      () => (state.outcome = "begun"),
      (error) => (state.outcome = error === refusal ? "refused" : "aborted"),
    );
    return { entered, state };
  };
  const soon = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    now = 1_000_000;
    guard = new LoginGuard(() => now);
  });

  it("lets one try a login that is not known, and spares the others its refusal", async () => {
    const first = await guard.enter("nvr", never);
    const others = Array.from({ length: 15 }, () => attempt("nvr"));
    await soon();
    assert.ok(others.every(({ state }) => state.outcome === "waiting"));
    first.refused(refusal);
    await soon();
    assert.ok(others.every(({ state }) => state.outcome === "refused"));
    assert.equal(guard.pausedUntil("nvr"), now + MINUTE);
  });

  it("lets all others follow side by side when it is taken", async () => {
    const first = await guard.enter("nvr", never);
    const others = Array.from({ length: 15 }, () => attempt("nvr"));
    first.accepted();
    await soon();
    assert.ok(others.every(({ state }) => state.outcome === "begun"));
  });

  it("lets the next one try when the first learnt nothing of the login", async () => {
    const first = await guard.enter("nvr", never);
    const [second, third] = [attempt("nvr"), attempt("nvr")];
    first.leave();
    await soon();
    assert.deepEqual([second.state.outcome, third.state.outcome], ["begun", "waiting"]);
  });

  it("minds a refusal that comes after the next one was let in", async () => {
    const slow = await guard.enter("nvr", never);
    slow.leave();
    (await guard.enter("nvr", never)).leave();
    slow.refused(refusal);
    await assert.rejects(guard.enter("nvr", never), refusal);
  });

  it("tries one at a time again some seconds after the login was taken: it may have been changed since", async () => {
    (await guard.enter("nvr", never)).accepted();
    now += 11_000;
    const [first, second] = [attempt("nvr"), attempt("nvr")];
    await soon();
    assert.deepEqual([first.state.outcome, second.state.outcome], ["begun", "waiting"]);
    (await first.entered).refused(refusal);
    await soon();
    assert.equal(second.state.outcome, "refused");
    assert.equal(guard.pausedUntil("nvr"), now + 360 * MINUTE);
  });

  it("tries one at a time again as soon as a stream has broken off", async () => {
    (await guard.enter("nvr", never)).accepted();
    guard.doubt("nvr");
    const [first, second] = [attempt("nvr"), attempt("nvr")];
    await soon();
    assert.deepEqual([first.state.outcome, second.state.outcome], ["begun", "waiting"]);
  });

  it("tries again when the pause is over, and waits longer after the next refusal", async () => {
    (await guard.enter("nvr", never)).refused(refusal);
    now += MINUTE;
    (await guard.enter("nvr", never)).refused(refusal);
    assert.equal(guard.pausedUntil("nvr"), now + 4 * MINUTE);
  });

  it("tries once more when somebody asks for it", async () => {
    (await guard.enter("nvr", never)).refused(refusal);
    guard.forgive("nvr");
    const [first, second] = [attempt("nvr"), attempt("nvr")];
    await soon();
    assert.deepEqual([first.state.outcome, second.state.outcome], ["begun", "waiting"]);
  });

  it("keeps hosts, and logins at one host, apart", async () => {
    (await guard.enter("nvr", never)).refused(refusal);
    (await guard.enter("door", never)).leave();
    assert.equal(guard.pausedUntil("door"), undefined);
  });

  it("does not hold back what has no login", async () => {
    await guard.enter(undefined, never);
    await guard.enter(undefined, never);
  });

  it("leaves the line when nobody wants the camera any more", async () => {
    const first = await guard.enter("nvr", never);
    const leaving = new AbortController();
    const second = attempt("nvr", leaving.signal);
    leaving.abort();
    await soon();
    assert.equal(second.state.outcome, "aborted");
    first.leave();
    (await guard.enter("nvr", never)).leave();
  });
});

describe("login key", () => {
  it("is the same for all channels and ports of a host", () => {
    const login = { username: "admin", password: "secret" };
    const keys = [
      loginKey("rtsp://192.168.1.64/Streaming/Channels/101", login),
      loginKey("rtsp://192.168.1.64:10554/Streaming/Channels/202", login),
      loginKey("http://admin:secret@192.168.1.64/snap.jpg", {}),
      loginKey("hik://192.168.1.64?user=admin&pass=secret&channel=3", {}),
    ];
    assert.equal(new Set(keys).size, 1);
  });

  it("differs by host, user and password, and holds neither of them", () => {
    const keys = [
      loginKey("rtsp://a/", { username: "admin", password: "secret" }),
      loginKey("rtsp://b/", { username: "admin", password: "secret" }),
      loginKey("rtsp://a/", { username: "admin", password: "other" }),
      loginKey("rtsp://a/", { username: "root", password: "secret" }),
      loginKey("rtsp://a/", {}),
    ];
    assert.equal(new Set(keys).size, 5);
    assert.ok(!keys.some((key) => /secret|other|admin|root/.test(key ?? "")));
  });

  it("is absent where there is no host", () => {
    for (const address of ["./video.mp4", "0", "/dev/video0", "", "C:\\video.mp4"]) {
      assert.equal(loginKey(address, {}), undefined);
    }
  });
});
