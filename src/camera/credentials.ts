export interface Credentials {
  /** As the camera knows them: not percent-encoded. */
  readonly username: string;
  readonly password: string;
}

/** What a user fills in beside the address. A filled field wins over the same one inside the address. */
export interface CredentialFields {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}
