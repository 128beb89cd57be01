/** How many servers are remembered. */
const MOST = 100
/** The longest nonce that is taken. It travels with each request. */
const LONGEST = 2_048
/** What a nonce may consist of (RFC 9449 §8.1). */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]+$/
/** How many answers tell how wrong the clock is. */
const SAMPLES = 5
/** By how many milliseconds the clock may differ from that of a server before proofs follow the server. */
const TOLERANCE = 5_000

/** What a server expects of a proof. */
export interface Expected {
  readonly nonce: string | undefined
  /** What has to be added to the clock of this machine, in milliseconds. */
  readonly skew: number
}

interface Known {
  nonce?: string
  /** The last differences between the server's clock and this one, in milliseconds. */
  readonly differences: number[]
}

/**
 * What servers expect of proofs: the newest nonce of each, and its time. An authorization server and an API count as two, even
 * if they share an origin (RFC 9449 §8, §9).
 */
export class Nonces {
  readonly #servers = new Map<string, Known>()
  /** For servers that have said nothing yet. */
  #lastSkew = 0

  expectedBy(server: string): Expected {
    const { nonce, differences } = this.#servers.get(server) ?? NOTHING
    return { nonce, skew: differences.length > 0 ? skewOf(differences) : this.#lastSkew }
  }

  /**
   * Reads the headers of an answer.
   *
   * @param date the `Date` header; scripts of a page see it only if the server exposes it
   * @param now the time here, in milliseconds since the Unix epoch
   * @param refusesTime whether the server refused a proof for its time, maybe: what was known of its clock is wrong
   */
  learn(server: string, nonce: string | null, date: string | null, now: number, refusesTime: boolean): void {
    const at = date === null || date.length > 100 ? Number.NaN : Date.parse(date)
    const isNonce = nonce !== null && nonce.length <= LONGEST && NONCE.test(nonce)
    if (refusesTime) this.#forgetTime(server)
    if (!isNonce && Number.isNaN(at)) return
    const known = this.#servers.get(server) ?? { differences: [] }
    this.#servers.delete(server)
    this.#servers.set(server, known)
    for (const oldest of this.#servers.keys()) {
      if (this.#servers.size <= MOST) break
      this.#servers.delete(oldest)
    }
    if (isNonce) known.nonce = nonce
    if (Number.isNaN(at)) return
    known.differences.push(at - now)
    if (known.differences.length > SAMPLES) known.differences.shift()
    this.#lastSkew = skewOf(known.differences)
  }

  #forgetTime(server: string): void {
    this.#lastSkew = 0
    const known = this.#servers.get(server)
    if (known) known.differences.length = 0
  }
}

const NOTHING: Known = { differences: [] }

/** The median, because one answer may have been on its way for long. */
function skewOf(differences: readonly number[]): number {
  const sorted = [...differences].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return Math.abs(median) > TOLERANCE ? median : 0
}
