import { CctvError, type ErrorCode } from "../../errors.ts";

/** A refusal that says in HTTP's own words what the client can do about it. */
export class RefusedRequest extends CctvError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}
