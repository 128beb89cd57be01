/** A request that has to prove who sends it. */
export interface ProofRequest {
  /** In upper case. */
  readonly method: string
  /** The absolute URL that the request is sent to. */
  readonly url: string
  /** The access token that the request carries: a proof contains its hash (RFC 9449 §4.2). */
  readonly accessToken: string
  /** The key that the token is bound to, as `keyId` named it; `undefined` if unknown. */
  readonly keyId: string | undefined
  /** The key that the token is bound to, if the session keeps it; `undefined` if the port does. */
  readonly proofKey?: object | undefined
}

/** The headers of one sending. */
export interface Proof {
  /** The `Authorization` header. */
  readonly authorization: string
  /** The `DPoP` header (RFC 9449 §4). */
  readonly dpop: string
}

/** What a server answered to a proof. */
export interface ProofAnswer {
  /** HTTP status of the answer. */
  readonly status: number
  /** A header by its name in lower case; `null` if it is missing, or hidden from scripts. */
  header(name: string): string | null
}

/** Proves with each request that its sender has the key that the token is bound to (RFC 9449). */
export interface ProofPort {
  /** Makes the headers of one sending. Called once for each sending. */
  prove(request: ProofRequest): PromiseLike<Proof>
  /**
   * Reads an answer.
   *
   * @param proof what the request was sent with
   * @returns `'again'` if another proof, made now, can be accepted: the server asks for a nonce that this one did not have
   */
  heed(proof: Proof, answer: ProofAnswer): 'again' | undefined
  /**
   * Names the key: by its thumbprint (RFC 7638). A missing key is made.
   *
   * @param expected the key that a session is bound to. If the key at hand is another, the key is looked up again
   * @returns its thumbprint. May be `undefined` if `expected` is missing: then the answer of the token request brings the key
   */
  keyId(expected?: string): PromiseLike<string | undefined>
  /**
   * Removes the key, because the user signed out, here or in another tab: each tab calls it, so that its next sign-in finds no key
   * that another tab is about to remove.
   *
   * @param keyId the key of the session that ended. By now another tab may have made the next one, which must stay. Without it,
   * whatever key there is
   * @param isElsewhere whether the user signed out in another tab or process, which removes the key, too
   */
  forget?(keyId?: string, isElsewhere?: boolean): unknown
}
