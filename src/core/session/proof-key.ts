import { StorageError } from '../errors.ts'
import type { Binding, Kernel, ProofKey } from '../kernel.ts'
import { messageOf } from '../messages.ts'
import { isObject } from '../platform/is-object.ts'
import type { ProofPort } from '../proof-port.ts'
import type { Vault } from './vault.ts'

/** The key of a session, from the app's port, in bounded time. */
export class BoundedProofKey implements ProofKey {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #port: ProofPort
  /** The name of the key that the next tokens will be bound to. */
  #id: string | undefined

  constructor(kernel: Kernel, vault: Vault, port: ProofPort) {
    this.#kernel = kernel
    this.#vault = vault
    this.#port = port
    this.#wrap()
  }

  bind(...[type, answer, previous]: Parameters<ProofKey['bind']>): Binding | undefined {
    const proofKey = isObject(answer.proofKey) ? answer.proofKey : previous?.proofKey
    if (type === 'dpop') return { tokenType: 'DPoP', keyId: proofKey ? undefined : this.#id, proofKey }
    // Some servers bind the refresh token only (RFC 9449 §5).
    return proofKey && type === 'bearer' ? { tokenType: undefined, keyId: undefined, proofKey } : undefined
  }

  load(): Promise<void> {
    return this.#load()
  }

  forget({ keyId, proofKey }: Partial<Binding> = {}, isElsewhere: boolean): void {
    // A key of the session itself ends with its tokens. Otherwise, the key that is there may be that of the next session.
    if (proofKey || (isElsewhere && keyId === undefined)) return
    // At once: no revocation needs a proof (RFC 9449 §5, §7), and the next sign-in must not find a key that is about to go.
    const forget = async () => this.#port.forget?.(keyId, isElsewhere)
    forget().catch(() => {})
  }

  /** Looks at the key before the functions of the app send a token request. */
  #wrap(): void {
    const { options, work } = this.#kernel
    const { refresh, signIn } = options
    const proven: Pick<Kernel['options'], 'refresh' | 'signIn'> = {
      refresh: async (request) => {
        await this.#check()
        const { proofKey } = this.#vault.tokens ?? {}
        return work.call(() => refresh({ ...request, proofKey }))
      },
      ...(signIn && {
        signIn: async (credentials, context) => {
          await this.#load()
          return work.call(() => signIn(credentials, context))
        },
      }),
    }
    // Inherited, because a pool gives each session options that inherit from those of all.
    this.#kernel.options = Object.assign(Object.create(options), proven)
  }

  async #load(expected?: string): Promise<void> {
    const { work, settings } = this.#kernel
    try {
      this.#id = await work.run(() => this.#port.keyId(expected), settings.timeouts.storage)
    } catch (cause) {
      // The error of a key store may say more than a log should hold.
      throw cause instanceof StorageError ? cause : new StorageError('', { reason: 'key_unavailable' })
    }
  }

  /** Makes sure that the key is the one that the session is bound to, before its refresh token is presented. */
  async #check(): Promise<void> {
    const { keyId, refreshToken, proofKey } = this.#vault.tokens ?? {}
    if (proofKey) return
    const mark = this.#vault.mark()
    await this.#load(keyId)
    if (!this.#vault.isCurrent(mark)) throw new StorageError('', { reason: 'superseded' })
    // The server would answer `invalid_grant`, as it does for a session that has ended there. A session without a refresh token gets
    // tokens for any key.
    if (refreshToken !== undefined && keyId !== undefined && this.#id !== keyId)
      throw Object.assign(new Error(messageOf('key_lost')), { error: 'key_lost' })
  }
}
