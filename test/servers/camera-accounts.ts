import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Account {
  readonly username: string;
  readonly password: string;
  /** May look, but not into the settings. */
  readonly isViewer?: boolean;
}

export interface CameraAccountsSettings {
  readonly accounts: readonly Account[];
  readonly realm: string;
  readonly algorithms: readonly ("MD5" | "SHA-256")[];
  /** So many wrong passwords lock everybody out. */
  readonly mostWrong: number;
  /** Each nonce is good for one request. */
  readonly nonceEachRequest?: boolean;
}

export type Verdict =
  | { readonly kind: "in"; readonly account: Account }
  | { readonly kind: "locked" }
  | { readonly kind: "out"; readonly challenges: readonly string[] };

const PARAMETER = /(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g;

/** The users of a simulated camera: strict Digest (RFC 7616, qop=auth), and a lock as real cameras have it. */
export class CameraAccounts {
  /** Logins with a good nonce and a wrong name or password. */
  wrongPasswords = 0;
  readonly #settings: CameraAccountsSettings;
  /** The highest count that came with each nonce. */
  readonly #counts = new Map<string, number>();

  constructor(settings: CameraAccountsSettings) {
    this.#settings = settings;
  }

  check(request: IncomingMessage): Verdict {
    const { mostWrong, nonceEachRequest } = this.#settings;
    if (this.wrongPasswords >= mostWrong) return { kind: "locked" };
    const given = readAuthorization(request.headers.authorization ?? "");
    const count = Number.parseInt(given.nc ?? "", 16);
    const known = this.#counts.get(given.nonce ?? "");
    if (known === undefined || given.uri !== request.url || !(count > known)) return this.#challenge();
    this.#counts.set(given.nonce ?? "", nonceEachRequest ? Number.POSITIVE_INFINITY : count);
    const account = this.#settings.accounts.find(({ username }) => username === given.username);
    if (account && given.response === this.#expected(account, given, request.method)) return { kind: "in", account };
    this.wrongPasswords++;
    return this.wrongPasswords >= mostWrong ? { kind: "locked" } : this.#challenge();
  }

  #challenge(): Verdict {
    const { algorithms, realm } = this.#settings;
    const challenges = algorithms.map((algorithm) => {
      const nonce = randomBytes(12).toString("hex");
      this.#counts.set(nonce, 0);
      return `Digest qop="auth", realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, stale="FALSE"`;
    });
    return { kind: "out", challenges };
  }

  #expected({ username, password }: Account, given: Record<string, string>, method: string | undefined): string {
    const hash = (...parts: (string | undefined)[]) =>
      createHash(given.algorithm === "SHA-256" ? "sha256" : "md5")
        .update(parts.join(":"))
        .digest("hex");
    const login = hash(username, this.#settings.realm, password);
    return hash(login, given.nonce, given.nc, given.cnonce, given.qop, hash(method, given.uri));
  }
}

function readAuthorization(header: string): Record<string, string> {
  const matches = header.startsWith("Digest ") ? header.matchAll(PARAMETER) : [];
  return Object.fromEntries([...matches].map(([, name, quoted, plain]) => [name, quoted ?? plain ?? ""]));
}
