import { childrenOf, escapeXml, textOf, type XmlElement } from "../../xml.ts";
import { type EndpointReference, readEndpointReference } from "./endpoint-reference.ts";
import type { SoapRequest } from "./envelope.ts";
import type { HttpTarget, ReportedAddresses } from "./reported-address.ts";
import { EVENTS_NAMESPACE } from "./services.ts";
import type { SoapClient } from "./soap-client.ts";
import { SoapFault } from "./soap-fault.ts";

export interface PullPointOptions {
  readonly client: SoapClient;
  /** The event service. */
  readonly events: HttpTarget;
  readonly addresses: ReportedAddresses;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
}

interface Lifetime {
  /** Milliseconds; absent where the camera did not tell. */
  readonly granted?: number;
  /** By our monotonic clock. */
  readonly endsAt: number;
}

/** The longest wait for an event in one request, milliseconds. */
export const LONGEST_PULL_MS = 20_000;
const SHORTEST_PULL_MS = 1_000;
const WANTED_LIFETIME = "PT120S";
/** Where a camera does not tell: the shortest that ONVIF knows as usual. */
const ASSUMED_LIFETIME_MS = 60_000;
/** Some cameras write whole seconds, and each answer takes its time. */
const TIME_TOLERANCE_MS = 1_000;
const MOST_MESSAGES = 100;
const GOODBYE_MS = 2_000;
const NOTIFICATION_NAMESPACE = "http://docs.oasis-open.org/wsn/b-2";
const MANAGER_ACTIONS = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager";
const EVENT_ACTIONS = `${EVENTS_NAMESPACE}/EventPortType`;
const PULL_ACTIONS = `${EVENTS_NAMESPACE}/PullPointSubscription`;

/**
 * A subscription that is asked for its messages (ONVIF Core Specification, 9.2). How long it lives is
 * reckoned from the camera's own times alone, so that its clock may show anything.
 */
export class PullPoint {
  readonly #options: PullPointOptions;
  readonly #target: HttpTarget;
  readonly #reference: EndpointReference;
  #lifetime: Lifetime;
  #closed: Promise<void> | undefined;

  private constructor(options: PullPointOptions, reference: EndpointReference, created: XmlElement) {
    this.#options = options;
    this.#reference = reference;
    this.#target = options.addresses.http(reference.address) ?? options.events;
    this.#lifetime = this.#readLifetime(created);
  }

  /** @throws CctvError */
  static async subscribe(options: PullPointOptions, signal: AbortSignal): Promise<PullPoint> {
    const { client, events } = options;
    const { element, text } = await client.call(
      events,
      {
        operation: "CreatePullPointSubscription",
        namespace: EVENTS_NAMESPACE,
        action: `${EVENT_ACTIONS}/CreatePullPointSubscriptionRequest`,
        content: `<InitialTerminationTime>${WANTED_LIFETIME}</InitialTerminationTime>`,
        header: addressing(`${EVENT_ACTIONS}/CreatePullPointSubscriptionRequest`, client.where(events)),
      },
      signal,
    );
    const reference = readEndpointReference(text) ?? { address: client.where(events), parameters: "" };
    return new PullPoint(options, reference, element);
  }

  /** What has happened since; waits for something for a while. @throws CctvError */
  async pull(signal: AbortSignal): Promise<readonly XmlElement[]> {
    const waitMs = Math.max(SHORTEST_PULL_MS, Math.min(LONGEST_PULL_MS, this.#left() / 2));
    const answer = await this.#call(
      {
        operation: "PullMessages",
        namespace: EVENTS_NAMESPACE,
        action: `${PULL_ACTIONS}/PullMessagesRequest`,
        content: `<Timeout>PT${Math.round(waitMs / 1000)}S</Timeout><MessageLimit>${MOST_MESSAGES}</MessageLimit>`,
      },
      signal,
    );
    this.#prolong(this.#readLifetime(answer));
    return childrenOf(answer, "NotificationMessage");
  }

  /** Renews it when half of its time is over; false where it cannot be renewed, and a new one is needed. @throws CctvError */
  async keepAlive(signal: AbortSignal): Promise<boolean> {
    if (this.#left() > (this.#lifetime.granted ?? ASSUMED_LIFETIME_MS) / 2) return true;
    try {
      const answer = await this.#call(
        {
          operation: "Renew",
          namespace: NOTIFICATION_NAMESPACE,
          action: `${MANAGER_ACTIONS}/RenewRequest`,
          content: `<TerminationTime>${WANTED_LIFETIME}</TerminationTime>`,
        },
        signal,
      );
      this.#lifetime = this.#readLifetime(answer);
      return true;
    } catch (error) {
      if (error instanceof SoapFault && !error.isNotAuthorized) return false;
      throw error;
    }
  }

  /** Tells the camera that nobody listens any more; a camera that does not want to know is left alone. */
  async close(): Promise<void> {
    this.#closed ??= this.#call(
      { operation: "Unsubscribe", namespace: NOTIFICATION_NAMESPACE, action: `${MANAGER_ACTIONS}/UnsubscribeRequest` },
      AbortSignal.timeout(GOODBYE_MS),
    ).then(
      () => undefined,
      () => undefined,
    );
    await this.#closed;
  }

  async #call(request: SoapRequest & { action: string }, signal: AbortSignal): Promise<XmlElement> {
    const { address, parameters } = this.#reference;
    const header = `${addressing(request.action, address)}${parameters}`;
    const { element } = await this.#options.client.call(this.#target, { ...request, header }, signal);
    return element;
  }

  #left(): number {
    return this.#lifetime.endsAt - this.#options.monotonic();
  }

  /** Both times are the camera's: only what lies between them counts. */
  #readLifetime(answer: XmlElement): Lifetime {
    const time = (name: string) => Date.parse(textOf(answer, name) ?? "");
    const granted = time("TerminationTime") - time("CurrentTime");
    const now = this.#options.monotonic();
    return granted > 0 ? { granted, endsAt: now + granted } : { endsAt: now + ASSUMED_LIFETIME_MS };
  }

  /** Some cameras prolong a subscription with each pull; the others tell what is left of it, which is nothing new. */
  #prolong(told: Lifetime): void {
    if (told.granted === undefined) return;
    const isLonger = told.endsAt > this.#lifetime.endsAt + TIME_TOLERANCE_MS;
    if (isLonger || this.#lifetime.granted === undefined) this.#lifetime = told;
  }
}

function addressing(action: string, to: string): string {
  return [
    `<wsa:Action s:mustUnderstand="1">${action}</wsa:Action>`,
    `<wsa:To s:mustUnderstand="1">${escapeXml(to)}</wsa:To>`,
  ].join("");
}
