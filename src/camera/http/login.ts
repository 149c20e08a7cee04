import type { IncomingHttpHeaders } from "node:http";
import type { Credentials } from "../credentials.ts";
import { answerBasic, answerDigest, type Challenge, chooseDigest, type DigestChallenge, nextNonce } from "./digest.ts";

/** What to do about a 401: send the request again, or stop and say why. */
export type Challenged =
  | { readonly kind: "again" }
  | { readonly kind: "refused" }
  | { readonly kind: "unknown"; readonly schemes: readonly string[] };

interface DigestSession {
  readonly challenge: DigestChallenge;
  readonly clientNonce: string;
  count: number;
}

const CLIENT_NONCE_BYTES = 16;

/** What is known of the login at one camera: kept from request to request, so that each is sent only once. */
export class Login {
  readonly #credentials: Credentials | undefined;
  readonly #random: (bytes: number) => Buffer;
  readonly #allowBasic: boolean;
  #digest: DigestSession | undefined;
  #basic = false;

  constructor(credentials: Credentials | undefined, random: (bytes: number) => Buffer, allowBasic = false) {
    this.#credentials = credentials;
    this.#random = random;
    this.#allowBasic = allowBasic;
  }

  /** One request's way through the login. */
  begin(method: string, uri: string): LoginRound {
    return new LoginRound({
      isFinal: this.#basic,
      authorization: () => this.#authorization(method, uri),
      prepare: (challenges) => this.#prepare(challenges),
    });
  }

  /** Call it with each answer other than 401. */
  accepted({ "authentication-info": info }: IncomingHttpHeaders): void {
    const nonce = typeof info === "string" ? nextNonce(info) : undefined;
    if (nonce && this.#digest) this.#startDigest({ ...this.#digest.challenge, nonce });
  }

  #authorization(method: string, uri: string): string | undefined {
    const credentials = this.#credentials;
    if (!credentials) return undefined;
    if (this.#basic) return answerBasic(credentials);
    if (!this.#digest) return undefined;
    this.#digest.count++;
    const { challenge, clientNonce, count } = this.#digest;
    return answerDigest({ challenge, credentials, method, uri, nonceCount: count, clientNonce });
  }

  /** Gets ready to answer; Basic only where no Digest is offered or the user allows it. */
  #prepare(challenges: readonly Challenge[]): Challenged {
    if (!this.#credentials) return { kind: "refused" };
    const digest = chooseDigest(challenges);
    if (digest) {
      this.#startDigest(digest);
      return { kind: "again" };
    }
    const schemes = [...new Set(challenges.map(({ scheme }) => scheme))];
    this.#basic = schemes.includes("basic") && (this.#allowBasic || !schemes.includes("digest"));
    return this.#basic ? { kind: "again" } : { kind: "unknown", schemes };
  }

  #startDigest(challenge: DigestChallenge): void {
    this.#digest = { challenge, clientNonce: this.#random(CLIENT_NONCE_BYTES).toString("hex"), count: 0 };
  }
}

interface RoundOptions {
  /** The login that goes along cannot become better by repeating it. */
  readonly isFinal: boolean;
  readonly authorization: () => string | undefined;
  readonly prepare: (challenges: readonly Challenge[]) => Challenged;
}

/**
 * Sends a login once: a second time only where the first went out with the nonce of an earlier answer,
 * or where the camera says that nothing but the nonce was wrong.
 */
export class LoginRound {
  readonly #options: RoundOptions;
  #state: "old" | "fresh" | "renewed";

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#state = options.isFinal ? "renewed" : "old";
  }

  /** The value of Authorization for the next try. */
  authorize(): string | undefined {
    return this.#options.authorization();
  }

  challenged(challenges: readonly Challenge[]): Challenged {
    if (this.#state === "renewed") return { kind: "refused" };
    if (this.#state === "fresh" && !chooseDigest(challenges)?.stale) return { kind: "refused" };
    const verdict = this.#options.prepare(challenges);
    this.#state = this.#state === "old" ? "fresh" : "renewed";
    return verdict;
  }
}
