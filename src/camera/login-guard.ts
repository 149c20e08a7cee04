import { createHash, randomBytes } from "node:crypto";
import type { CctvError } from "../errors.ts";
import { parseNetworkAddress } from "./address.ts";
import type { CredentialFields } from "./credentials.ts";

/** What is known of one login at one host. */
export interface LoginHistory {
  /** Refusals in a row, from 1. */
  readonly refusals: number;
  /** The camera has taken this login before. */
  readonly accepted: boolean;
  /** The camera has locked the account. */
  readonly locked: boolean;
}

const MINUTE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * MINUTE_MS;
/** So long after a login was taken others may follow side by side. */
const TRUST_MS = 10_000;
const LOOK_AFTER_CHANGE_MS = 6 * 60 * MINUTE_MS;

/**
 * How long to leave a camera alone after it has refused a login, milliseconds.
 *
 * - A login that was good before: somebody has changed it on the camera, so that it will not become good by
 *   trying. The one look every six hours is for recorders that refuse for other reasons, such as too many viewers.
 * - A locked account: half an hour, as long as the locks of common cameras last.
 * - Else one minute, four, sixteen, then half an hour: three tries in the first half hour after the first one,
 *   fewer than the five after which common cameras lock an account.
 */
export function pauseAfterRefusal({ refusals, accepted, locked }: LoginHistory): number {
  if (accepted) return LOOK_AFTER_CHANGE_MS;
  if (locked) return LONGEST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, MINUTE_MS * 4 ** (refusals - 1));
}

/** One try at a login, from its turn to its outcome. */
export interface LoginTry {
  accepted(): void;
  /** The camera refused it: CAMERA_AUTH_FAILED or CAMERA_LOCKED. */
  refused(refusal: CctvError): void;
  /** Lets the next one try; what becomes of this one may still be told. */
  leave(): void;
}

interface Entry {
  refusals: number;
  /** It was taken before. */
  accepted: boolean;
  /** Others may follow side by side until then, epoch milliseconds. */
  trustedUntil: number;
  refusal?: CctvError;
  pausedUntil: number;
  /** One is trying it for all. */
  busy: boolean;
  readonly waiting: Set<() => void>;
}

/**
 * Keeps many streams of one host from locking its account: a login that was not taken just now is tried by
 * one of them alone, and once it is refused by none of them until a pause is over.
 */
export class LoginGuard {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Waits for its turn.
   * @param key as `loginKey` makes it; undefined where there is no host to log in at
   * @throws CctvError the last refusal, without asking the camera, while the login is paused; the signal's reason
   * when it aborts.
   */
  async enter(key: string | undefined, signal: AbortSignal): Promise<LoginTry> {
    signal.throwIfAborted();
    if (key === undefined) return FREE;
    const entry = this.#entry(key);
    for (;;) {
      if (entry.refusal && this.#now() < entry.pausedUntil) throw entry.refusal;
      if (this.#isTrusted(entry)) return this.#begin(entry, false);
      if (!entry.busy) {
        entry.busy = true;
        return this.#begin(entry, true);
      }
      await turn(entry.waiting, signal);
    }
  }

  /** When the login may be tried again, epoch milliseconds; undefined where nothing holds it back. */
  pausedUntil(key: string | undefined): number | undefined {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    return entry?.refusal && this.#now() < entry.pausedUntil ? entry.pausedUntil : undefined;
  }

  /** Somebody has looked at the settings and wants it tried. */
  forgive(key: string | undefined): void {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (entry) entry.pausedUntil = 0;
  }

  /** A stream that had the login has broken off: the camera may have been given another password. */
  doubt(key: string | undefined): void {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (entry) entry.trustedUntil = 0;
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { refusals: 0, accepted: false, trustedUntil: 0, pausedUntil: 0, busy: false, waiting: new Set() };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #isTrusted({ trustedUntil, refusal }: Entry): boolean {
    return !refusal && this.#now() < trustedUntil;
  }

  #begin(entry: Entry, alone: boolean): LoginTry {
    let inTurn = true;
    let isTold = false;
    const leave = () => {
      if (!inTurn) return;
      inTurn = false;
      if (alone) entry.busy = false;
      for (const wake of entry.waiting) wake();
    };
    const tell = (outcome: () => void) => {
      if (!isTold) outcome();
      isTold = true;
      leave();
    };
    return {
      leave,
      accepted: () =>
        tell(() => {
          entry.accepted = true;
          entry.trustedUntil = this.#now() + TRUST_MS;
          entry.refusals = 0;
          delete entry.refusal;
        }),
      refused: (refusal) =>
        tell(() => {
          entry.refusals++;
          const pause = pauseAfterRefusal({
            refusals: entry.refusals,
            accepted: entry.accepted,
            locked: refusal.code === "CAMERA_LOCKED",
          });
          entry.pausedUntil = this.#now() + pause;
          entry.refusal = refusal;
        }),
    };
  }
}

/** The logins of all cameras of this process. */
export const loginGuard = new LoginGuard();

const SALT = randomBytes(16);

/** Names a login at a host without holding its password; undefined where the address names no host. */
export function loginKey(address: string, fields: CredentialFields): string | undefined {
  const parsed = parseLeniently(address, fields);
  // A camera that pushes logs in at us.
  if (!parsed || parsed.scheme === "rtmp-listen") return undefined;
  const { host, path, credentials } = parsed;
  // hik://host?user=admin&pass=secret
  const query = new URLSearchParams(path.includes("?") ? path.slice(path.indexOf("?") + 1) : "");
  const username = credentials?.username ?? query.get("user") ?? query.get("username") ?? "";
  const password = credentials?.password ?? query.get("pass") ?? query.get("password") ?? "";
  const digest = createHash("sha256")
    .update(SALT)
    .update(JSON.stringify([username, password]))
    .digest("base64");
  return `${host} ${digest}`;
}

function parseLeniently(address: string, fields: CredentialFields) {
  try {
    // The port does not matter: an account is one, whichever door it comes through.
    return parseNetworkAddress(address, 1, fields);
  } catch {
    return undefined;
  }
}

const FREE: LoginTry = { accepted: () => undefined, refused: () => undefined, leave: () => undefined };

function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      waiting.delete(wake);
      signal.removeEventListener("abort", abort);
      settle();
    };
    const wake = () => end(resolve);
    const abort = () => end(() => reject(signal.reason));
    waiting.add(wake);
    signal.addEventListener("abort", abort, { once: true });
  });
}
