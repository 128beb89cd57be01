import type { Auth } from '../core/auth.ts'
import { ATTACH, type CookieFeature } from '../core/features/feature.ts'
import type { Kernel } from '../core/kernel.ts'
import type { Limits } from '../core/session/limits.ts'
import type { Merged } from '../core/session/record.ts'
import { SharedSession } from '../core/session/shared-session.ts'
import { type CreateSharing, unshared } from '../core/session/sharing.ts'
import type { HeldTokens, Vault } from '../core/session/vault.ts'

/** The session of a user that a token exchange follows. */
export type ExchangedAuth = Pick<
  Auth<never, unknown, unknown>,
  'getAccessToken' | 'actor' | 'ready' | 'session'
>

const feature = (create: CreateSharing): CookieFeature => ({ kind: 'cookie', [ATTACH]: create })

/**
 * Begins a session that has no token yet, so its first token is requested at once. If that fails, the session goes on as after
 * any failed refresh: the next request attempts again.
 *
 * @param user names the user; without it, the session has none
 */
function begin({ kernel, vault }: { kernel: Kernel; vault: Vault }, user?: string): Merged {
  const now = kernel.clock.now()
  const tokens: HeldTokens = {
    id: Math.random().toString(36).slice(2),
    rotation: 0,
    // Any session in the store is newer.
    startedAt: 0,
    receivedAt: now,
    accessToken: undefined,
    refreshToken: undefined,
    idToken: undefined,
    expiresAt: now,
    refreshTokenExpiresAt: undefined,
    scope: undefined,
    tokenType: undefined,
    keyId: undefined,
    subject: undefined,
    user: { app: user },
    claims: undefined,
    profile: undefined,
  }
  return { facts: vault.start(tokens), refreshed: false }
}

/** The session of a machine. It ends only by `signOut`: no user could begin another one. */
class MachineSession extends SharedSession {
  readonly #parts: { readonly kernel: Kernel; readonly vault: Vault }
  #hasBegun = false

  constructor(kernel: Kernel, vault: Vault, limits: Limits) {
    super(kernel, vault, limits)
    this.#parts = { kernel, vault }
  }

  override async reload(): Promise<Merged | undefined> {
    const found = await super.reload()
    if (found || this.#hasBegun || this.#parts.vault.tokens) return found
    this.#hasBegun = true
    return begin(this.#parts)
  }

  override persist(refreshed?: boolean, isSignIn?: boolean) {
    const { vault } = this.#parts
    const { tokens } = vault
    // The session that reaches the store is newer than those of other processes that have no token yet.
    if (tokens?.startedAt === 0) vault.amend({ startedAt: tokens.receivedAt })
    return super.persist(refreshed, isSignIn)
  }

  /** The stored session was removed, or another process signed out. */
  override endedElsewhere(): void {
    super.endedElsewhere()
    const { kernel, vault } = this.#parts
    // After the step of the chart that ends the session.
    void Promise.resolve().then(() => {
      if (!vault.tokens) kernel.mailbox.send({ type: 'tokens.received', ...begin(this.#parts) })
    })
  }
}

/** For a session without a user. */
export const ofMachine = (): CookieFeature =>
  feature((kernel, vault, limits) => new MachineSession(kernel, vault, limits))

/** For a session that begins and ends with that of a user, and is kept in memory only. */
export const ofUser = (auth: ExchangedAuth): CookieFeature =>
  feature((kernel, vault) => {
    let followed: number | undefined
    let isRestored = false

    const epochOfUser = () => {
      const { status, epoch } = auth.actor.getSnapshot().context
      return status === 'active' ? epoch : undefined
    }

    function beginOfUser(epoch: number): Merged {
      followed = epoch
      const { subject, claims } = auth.session ?? {}
      const { iss } = Object(claims) as { iss?: unknown }
      return begin({ kernel, vault }, subject && JSON.stringify([iss ?? null, subject]))
    }

    function follow() {
      const epoch = epochOfUser()
      if (!isRestored || epoch === followed) return
      if (epoch !== undefined) return kernel.mailbox.send({ type: 'tokens.received', ...beginOfUser(epoch) })
      end()
    }

    function end() {
      followed = undefined
      kernel.mailbox.send({ type: 'session.endedElsewhere' })
    }

    return {
      ...unshared(),
      async reload() {
        if (isRestored) return undefined
        // It is rejected if the session of the user is disposed.
        await auth.ready().catch(() => {})
        isRestored = true
        const epoch = epochOfUser()
        return epoch === undefined ? undefined : beginOfUser(epoch)
      },
      start() {
        const { unsubscribe } = auth.actor.subscribe({ next: follow, complete: end })
        return [unsubscribe]
      },
    }
  })
