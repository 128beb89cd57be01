/**
 * Proofs of possession (RFC 9449), in a few lines of WebCrypto of our own. oauth4webapi makes them, too, but only as a part of its
 * requests. One header through its public API adds 3.7 kB to an app that does not use it otherwise, and hashes the token again
 * for each request. It keeps one nonce for each origin, and a clock skew that is fixed when it starts. Here, both are learned from
 * answers, apart for the token endpoint and the APIs.
 */

import type { ProofFeature } from '../../core/features/feature.ts'
import { defineProof } from '../../core/features/proof.ts'
import type { RefreshRequest } from '../../core/options.ts'
import type { Clock, TokenResponse } from '../../core/ports.ts'
import type { Proof, ProofAnswer, ProofRequest } from '../../core/proof-port.ts'
import { readText } from '../../core/session/response-body.ts'
import { toBase64Url } from '../../environment/base64url.ts'
import { systemClock } from '../../environment/clock.ts'
import type { JWK } from '../../environment/global-types.ts'
import { sha256 } from '../../environment/sha256.ts'
import {
  type DPoPAlgorithm,
  type DPoPKey,
  generateKey,
  indexedDBKeys,
  type KeyStore,
  memoryKeys,
  obtainKey,
  openKey,
  PARAMETERS,
  type SigningKey,
} from './keys.ts'
import { type Expected, Nonces } from './nonces.ts'

/** Options of `dpopProofs`. */
export interface DPoPOptions {
  /** The algorithm of a new key. Default: `'ES256'`, which all servers know. */
  readonly algorithm?: DPoPAlgorithm
  /**
   * Where the key is kept between visits. Default: IndexedDB, as a key that no script can export; in memory if there is no
   * IndexedDB, as on a server.
   */
  readonly keys?: KeyStore
  /** Gives the store a private JWK instead of a WebCrypto key. Then the key is a secret in the store. Default: `false`. */
  readonly exportable?: boolean
  /**
   * Gives each new session a key of its own, a private JWK that is kept in its record. For servers: the record has to be sealed, as
   * `createAuthPool`, `fleetSession` and `encryptedStorage` do. Sessions that have none go on with the key of `keys`. Default:
   * `false`.
   */
  readonly perSession?: boolean
  /** Names the key in its store. Sessions of one page need different names. Default: `'authchart-dpop'`. */
  readonly id?: string
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/** A `fetch` of token requests. */
export type DPoPFetch = (url: string, init: RequestInit) => Promise<Response>

type SessionRequest = Partial<Pick<RefreshRequest, 'proofKey' | 'refreshToken'>>

/** Proofs of one session, made by `dpopProofs`. */
export interface DPoPProofs extends ProofFeature {
  /**
   * Sends a request to the token endpoint with a proof, and once more if the server asks for a nonce. For your own token
   * calls; it fits the option `customFetch` of oauth4webapi.
   *
   * @param send sends both. Default: the global `fetch`
   */
  readonly fetch: (input: string | URL, init?: RequestInit, send?: DPoPFetch) => Promise<Response>
  /**
   * Requests tokens with the key of their session, and returns that key with them: for your own token calls, with `perSession`.
   *
   * @param request what `refresh` receives; nothing for a sign-in
   * @param task sends the request by the `fetch` that it is given, and returns the JSON of the answer, not a
   *   `Response`, which cannot hold the key
   * @param send as in `fetch`
   */
  readonly forSession: <Answer extends TokenResponse>(
    request: SessionRequest | undefined,
    task: (fetch: DPoPFetch) => PromiseLike<Answer>,
    send?: DPoPFetch,
  ) => Promise<Answer & Pick<TokenResponse, 'proofKey'>>
  /** The value of `dpop_jkt`: as `keyId`, but `undefined` with `perSession`, because a session that is still to begin has no key. */
  readonly codeKeyId: () => Promise<string | undefined>
  /** The thumbprint of the key (RFC 7638). */
  readonly keyId: (expected?: string) => Promise<string>
}

/**
 * Creates proofs of possession (DPoP). Tokens are bound to a key that does not leave this browser or process, so a token that
 * leaks is of no use elsewhere.
 *
 * @param options where the key is kept, and its algorithm
 * @returns the value of the option `proof` of `createAuth`
 *
 * @example
 * ```ts
 * const proofs = dpopProofs()
 * const auth = createAuth({
 *   async refresh({ refreshToken = '', signal }) {
 *     const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'app' })
 *     const response = await proofs.fetch('https://id.example.com/token', { method: 'POST', body, signal })
 *     if (!response.ok) throw response
 *     return response.json()
 *   },
 *   proof: proofs,
 *   storage: webStorage(() => localStorage),
 * })
 * ```
 *
 * @see RFC 9449
 */
export function dpopProofs(options: DPoPOptions = {}): DPoPProofs {
  const maker = new ProofMaker(options)
  const codeKeyId = async (expected?: string) =>
    options.perSession && expected === undefined ? undefined : maker.keyId()
  return {
    ...defineProof({
      prove: (request) => maker.prove(request),
      heed: (proof, answer) => maker.heed(proof, answer),
      keyId: codeKeyId,
      forget: (keyId, isElsewhere) => maker.forget(keyId, isElsewhere),
    }),
    keyId: () => maker.keyId(),
    fetch: (input, init, send = fetch) => maker.fetch(String(input), init, send),
    forSession: (request, task, send = fetch) => maker.forSession(request, task, send),
    codeKeyId,
  }
}

/** A proof with what it was made for, so that its answer can be compared with it. */
interface MadeProof extends Proof, Expected {
  readonly server: string
  readonly method: string
}

/** How an API says that a proof was not accepted (RFC 9449 §7.1, §9). */
const ASKS_AGAIN = /\b(?:use_dpop_nonce|invalid_dpop_proof)\b/
const REFUSED = 'invalid_dpop_proof'
/** How much of a header is read, in characters. */
const HEADER_LENGTH = 16_384
/** By how many milliseconds the measured time must have changed for another proof to be worth sending. */
const CHANGE = 5_000
/** How long a store of keys may take, in milliseconds. The next request then asks it again. */
const PATIENCE = 2_000

class ProofMaker {
  readonly #options: DPoPOptions
  readonly #id: string
  readonly #keys: KeyStore
  readonly #clock: Clock
  readonly #nonces = new Nonces()
  readonly #made = new WeakSet<Proof>()
  /** The keys of sessions that keep them. */
  readonly #opened = new WeakMap<object, Promise<SigningKey>>()
  #key: SigningKey | undefined
  /** The search for a key that runs. */
  #searching: Promise<SigningKey> | undefined
  /** When it began, in milliseconds since the Unix epoch. */
  #searchedAt = 0
  /** The last removal of a key. The next one must not be found before. */
  #removed: Promise<unknown> = Promise.resolve()
  /** The hash of the last token: it is the same for all requests until the next one. */
  #hash: { readonly token: string; readonly text: string } | undefined

  constructor(options: DPoPOptions) {
    const { id = 'authchart-dpop', keys, clock = systemClock } = options
    this.#options = options
    this.#id = id
    this.#clock = clock
    this.#keys = keys ?? (typeof indexedDB === 'undefined' ? memoryKeys() : indexedDBKeys())
  }

  async prove({ method, url, accessToken, keyId, proofKey }: ProofRequest): Promise<Proof> {
    let key = proofKey ? await this.#open(proofKey) : this.#key
    // Another tab may have signed in again, with another key.
    if (!key || (keyId !== undefined && key.id !== keyId)) key = await this.#search()
    const hash = this.#hash?.token === accessToken ? this.#hash.text : await this.#hashOf(accessToken)
    const { origin, pathname } = new URL(url)
    return this.#make(key, `api ${origin}`, { htm: method, htu: origin + pathname, ath: hash }, accessToken)
  }

  heed(proof: Proof, { status, header }: ProofAnswer): 'again' | undefined {
    if (!this.#made.has(proof)) return undefined
    const made = proof as MadeProof
    const challenge = status === 401 ? header('www-authenticate')?.slice(0, HEADER_LENGTH) : undefined
    this.#learn(made, status, header, challenge?.includes(REFUSED))
    if (status !== 401) return undefined
    // A page sees a challenge of another origin only if the server exposes it. A new nonce says the same.
    const asks = challenge === undefined || ASKS_AGAIN.test(challenge)
    return asks && this.#knowsBetter(made, challenge !== undefined) ? 'again' : undefined
  }

  async forSession<Answer extends TokenResponse>(
    request: SessionRequest | undefined,
    task: (fetch: DPoPFetch) => PromiseLike<Answer>,
    send: DPoPFetch,
  ): Promise<Answer & Pick<TokenResponse, 'proofKey'>> {
    const proofKey = await this.#sessionKey(request)
    const answer = await task((url, init) => this.fetch(url, init, send, proofKey))
    // Not a copy, because oauth4webapi finds the claims by this object.
    return proofKey ? Object.assign(answer, { proofKey }) : answer
  }

  /** @returns `undefined` for the key of the store */
  async #sessionKey({ proofKey, refreshToken }: SessionRequest = {}): Promise<object | undefined> {
    const { perSession, algorithm = 'ES256', keys } = this.#options
    if (proofKey || !perSession || (keys && refreshToken !== undefined)) return proofKey
    const { crv, kty, x, y, d } = (await generateKey(algorithm, true)) as JWK
    return { crv, kty, x, y, d }
  }

  /** Opens the key of a session, once for each record that it was read from. */
  #open(proofKey: object): Promise<SigningKey> {
    const opened = this.#opened.get(proofKey) ?? openKey(proofKey as DPoPKey)
    // A damaged record may have another value, which is no key of a WeakMap.
    this.#opened.set(Object(proofKey), opened)
    return opened
  }

  /** Of the key in the store, which may have lost the one in memory: a refresh token must not be presented without it. */
  async keyId(): Promise<string> {
    return (await this.#search()).id
  }

  forget(keyId: string | undefined, isElsewhere = false): unknown {
    this.#removed = this.#remove(keyId, isElsewhere ? undefined : this.#key).catch(() => {})
    this.#key = this.#searching = undefined
    return this.#removed
  }

  /** Removes that key only: another tab may have made the next one. */
  async #remove(keyId: string | undefined, known: SigningKey | undefined): Promise<void> {
    // At once: other tabs are about to notice the sign-out.
    if (known && known.id === (keyId ?? known.id))
      return void (await this.#keys.remove(this.#id, known.stored))
    const found = await this.#keys.get(this.#id)
    const isMeant = found && (keyId === undefined || (await openKey(found)).id === keyId)
    if (isMeant) await this.#keys.remove(this.#id, found)
  }

  async fetch(url: string, init: RequestInit = {}, send: DPoPFetch, proofKey?: object): Promise<Response> {
    // Read from the store: since the last sign-out in another tab, the key in memory may be outdated.
    const key = await (proofKey ? this.#open(proofKey) : this.#search())
    const { origin, pathname } = new URL(url)
    const claims = { htm: (init.method ?? 'GET').toUpperCase(), htu: origin + pathname }
    for (let isLast = false; ; isLast = true) {
      const proof = await this.#make(key, `token ${origin}`, claims)
      const headers = new Headers(init.headers)
      headers.set('dpop', proof.dpop)
      const answer = await send(url, { ...init, headers })
      const refusal = await proofRefusal(answer, init.signal)
      this.#learn(proof, answer.status, (name) => answer.headers.get(name), refusal === REFUSED)
      if (isLast || init.body instanceof ReadableStream || !refusal) return answer
      if (!this.#knowsBetter(proof, true)) return answer
      await answer.body?.cancel().catch(() => {})
    }
  }

  #learn(
    { server, method }: MadeProof,
    status: number,
    header: ProofAnswer['header'],
    refusesTime = false,
  ): void {
    // What a cache has kept has the time when it was made (RFC 9111 §4).
    const mayBeCached = status < 400 && /^(GET|HEAD)$/.test(method)
    const date = mayBeCached ? null : header('date')
    this.#nonces.learn(server, header('dpop-nonce'), date, this.#clock.now(), refusesTime)
  }

  /** Whether a proof made now would differ from that one in what the server asks for. A nonce is not tried twice. */
  #knowsBetter({ server, nonce, skew }: MadeProof, mayBeTime: boolean): boolean {
    const now = this.#nonces.expectedBy(server)
    return now.nonce !== nonce || (mayBeTime && Math.abs(now.skew - skew) > CHANGE)
  }

  #search(): Promise<SigningKey> {
    const now = this.#clock.now()
    if (this.#searching) {
      if (Math.abs(now - this.#searchedAt) < PATIENCE) return this.#searching
      this.#removed = Promise.resolve()
    }
    this.#searchedAt = now
    const { algorithm = 'ES256', exportable = false } = this.#options
    const searching = this.#removed.then(() => obtainKey(this.#keys, this.#id, algorithm, exportable))
    this.#searching = searching
    const end = () => {
      if (this.#searching === searching) this.#searching = undefined
    }
    searching.then((key) => {
      if (this.#searching === searching) this.#key = key
      end()
    }, end)
    return searching
  }

  async #hashOf(token: string): Promise<string> {
    const text = await sha256(token)
    this.#hash = { token, text }
    return text
  }

  async #make(
    { algorithm, jwk, privateKey }: SigningKey,
    server: string,
    claims: { readonly htm: string; readonly htu: string; readonly ath?: string },
    accessToken = '',
  ): Promise<MadeProof> {
    const expected = this.#nonces.expectedBy(server)
    const payload = {
      ...claims,
      jti: toBase64Url(crypto.getRandomValues(new Uint8Array(16))),
      iat: Math.floor((this.#clock.now() + expected.skew) / 1_000),
      ...(expected.nonce !== undefined && { nonce: expected.nonce }),
    }
    const header = { alg: algorithm, typ: 'dpop+jwt', jwk }
    const text = `${segment(header)}.${segment(payload)}`
    const signature = await crypto.subtle.sign(PARAMETERS[algorithm], privateKey, encoder.encode(text))
    const dpop = `${text}.${toBase64Url(new Uint8Array(signature))}`
    const proof: MadeProof = {
      authorization: `DPoP ${accessToken}`,
      dpop,
      server,
      method: claims.htm,
      ...expected,
    }
    this.#made.add(proof)
    return proof
  }
}

const encoder = /* @__PURE__ */ new TextEncoder()

const segment = (value: object) => toBase64Url(encoder.encode(JSON.stringify(value)))

/** The error by which the token endpoint refused the proof, and not the request (RFC 9449 §5, §8). */
async function proofRefusal(
  answer: Response,
  signal: AbortSignal | null | undefined,
): Promise<string | undefined> {
  if (answer.status !== 400 && answer.status !== 401) return undefined
  const text = await readText(answer, signal ?? new AbortController().signal, true).catch(() => undefined)
  try {
    const { error } = Object(JSON.parse(text ?? 'null')) as { error?: unknown }
    return error === 'use_dpop_nonce' || error === REFUSED ? error : undefined
  } catch {
    return undefined
  }
}
