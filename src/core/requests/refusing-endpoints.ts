import { doubtTime, isWithin } from '../../../machines/policies.ts'
import type { Kernel } from '../kernel.ts'
import type { Vault } from '../session/vault.ts'

/** How many refreshes of doubtful use endpoints may cause within the time of a doubt. */
const BUDGET = 3
/** How many endpoints are remembered. */
const MOST = 1_000

/**
 * Endpoints that answered 401 although the token was fresh, and what refreshes for them cost. A 401 of such an endpoint says
 * nothing about the token, so it causes no refresh for the time of a doubt, whatever the endpoint answers meanwhile: one path
 * may serve many operations. New endpoints have a common budget, because an API may have any number of them.
 */
export class RefusingEndpoints {
  readonly #kernel: Kernel
  readonly #vault: Vault
  /** When each doubt began, in that order. */
  #doubts: Map<string, number> | undefined
  /** Refreshes that endpoints caused, as long as no answer has shown that the old token had been the reason. */
  #unproven: readonly { readonly endpoint: string; readonly at: number }[] = []
  /** Endpoints that accepted a token while others were doubted. If they refuse one, the token is the likely reason. */
  #healthy: Set<string> | undefined
  /** Another user may have the rights that this one lacks. */
  #epoch = -1

  constructor(kernel: Kernel, vault: Vault) {
    this.#kernel = kernel
    this.#vault = vault
  }

  /** Whether nothing is in doubt, so that accepted requests need not be reported. */
  get isEmpty(): boolean {
    return this.#unproven.length === 0 && !this.#doubts?.size
  }

  /** Whether a 401 of the endpoint may cause a refresh. */
  mayRefresh(endpoint: string): boolean {
    this.#forget()
    const budget = this.#healthy?.has(endpoint) ? 2 * BUDGET : BUDGET
    return !this.#doubts?.has(endpoint) && this.#unproven.length < budget
  }

  /**
   * The endpoint caused a refresh.
   *
   * @param isReplayed whether the request is sent again, and so shows whether the refresh helped
   */
  addRefresh(endpoint: string, isReplayed: boolean): void {
    this.#unproven = [...this.#unproven, { endpoint, at: this.#kernel.clock.now() }]
    if (!isReplayed) this.addRefusal(endpoint)
  }

  /** The endpoint refused a fresh token. */
  addRefusal(endpoint: string): void {
    this.#forget()
    this.#doubts ??= new Map()
    this.#doubts.delete(endpoint)
    if (this.#doubts.size < MOST) this.#doubts.set(endpoint, this.#kernel.clock.now())
  }

  /** The endpoint accepted a token. */
  addSuccess(endpoint: string): void {
    this.#forget()
    if (this.isEmpty || this.#doubts?.has(endpoint)) return
    this.#unproven = this.#unproven.filter((refresh) => refresh.endpoint !== endpoint)
    this.#healthy ??= new Set()
    if (this.#healthy.size < MOST) this.#healthy.add(endpoint)
  }

  /** The last refresh failed, so it is not known what it would have helped. */
  forgive(): void {
    this.#unproven = this.#unproven.slice(0, -1)
  }

  /** Drops what is out of date. */
  #forget(): void {
    const { clock, settings } = this.#kernel
    const time = this.#epoch === this.#vault.epoch ? doubtTime(settings.retry) : 0
    const now = clock.now()
    this.#epoch = this.#vault.epoch
    for (const [endpoint, at] of this.#doubts ?? []) {
      if (isWithin(at, time, now)) break
      this.#doubts?.delete(endpoint)
    }
    if (this.#unproven.length > 0) this.#unproven = this.#unproven.filter(({ at }) => isWithin(at, time, now))
    if (this.isEmpty) this.#doubts = this.#healthy = undefined
  }
}
