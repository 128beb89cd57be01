import type { Kernel } from '../kernel.ts'
import type { Coordinator, CoordinatorMessage } from '../ports.ts'
import type { Vault } from './vault.ts'

/** The messages that tabs and processes exchange about a session. */
export class Peers {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #coordinator: Coordinator | undefined

  constructor(kernel: Kernel, vault: Vault, coordinator: Coordinator | undefined) {
    this.#kernel = kernel
    this.#vault = vault
    this.#coordinator = coordinator
  }

  /** @param session the session that ended, if other tabs know it by that id */
  announce(type: CoordinatorMessage['type'], session?: string): void {
    try {
      const { epoch, generation } = this.#vault
      this.#coordinator?.announce({ type, epoch, generation, ...(session !== undefined && { session }) })
    } catch (error) {
      this.#kernel.report(error)
    }
  }

  start(): () => void {
    const { mailbox, report } = this.#kernel
    try {
      return (
        this.#coordinator?.subscribe(({ type, session }) => {
          const current = this.#vault.tokens?.id
          // A message about another session is late: the store shows what happened to this one.
          const isOurs = session === undefined || current === undefined || session === current
          if (type === 'ended' && isOurs) {
            this.#vault.bumpRevision()
            mailbox.send({ type: 'session.endedElsewhere' })
          } else mailbox.send({ type: 'store.changed' })
        }) ?? (() => {})
      )
    } catch (error) {
      report(error)
      return () => {}
    }
  }
}
