import { fromPromise } from 'xstate'
import { type AuthMachine, authMachine, type TokenFacts } from '../../machines/index.ts'
import type { createExchange } from './exchange.ts'
import { type Gate, over, unavailable } from './gate.ts'
import type { LastUse } from './last-use.ts'
import type { Settings } from './options.ts'
import type { AbortSignalLike, Clock, CoordinatorMessage } from './ports.ts'
import type { Revocable } from './revocations.ts'
import type { SessionStore } from './session-store.ts'
import type { SignIns } from './sign-ins.ts'
import type { Vault } from './vault.ts'

export interface Implementations {
  readonly vault: Vault
  readonly gate: Gate
  readonly lastUse: LastUse
  readonly store: SessionStore
  readonly clock: Clock
  readonly settings: Settings
  readonly exchange: ReturnType<typeof createExchange>
  readonly signIns: SignIns
  readonly revokePending: () => Promise<void>
  /** Revokes tokens that nobody waits for. */
  readonly revoke: (tokens: Revocable) => void
  /** Gives up the sign-in that is under way, and keeps tokens to be revoked. */
  readonly leaveBehind: (tokens: ReturnType<Vault['dismiss']>) => void
  readonly revokeLater: (tokens: Revocable) => void
  readonly announce: (type: CoordinatorMessage['type'], session?: string) => void
  readonly syncWithStore: () => void
  /** Tells the chart of tokens that came after it had left the state that asked for them. */
  readonly adoptLate: (facts: TokenFacts) => void
}

/** Fills the chart's placeholders: the one place where its names meet the things they stand for. */
export function provide(core: Implementations): AuthMachine {
  const { vault, gate, lastUse, store, clock, settings, exchange } = core
  const dueAt = (at: number | undefined) => (at === undefined ? never : Math.max(0, at - clock.now()))
  const isDead = (expiresAt: number | undefined) => expiresAt !== undefined && clock.now() >= expiresAt
  const idleAt = () => lastUse.at + settings.limits.idle
  const diesAt = () => (vault.startedAt ?? never) + settings.limits.absolute

  /** A result belongs to the vault even where the chart did not wait for it. */
  const heard = <T extends TokenFacts | undefined>(signal: AbortSignalLike, result: Promise<T>) =>
    result.then((facts) => {
      if (!facts) return facts
      const late = () => core.adoptLate(facts)
      if (signal.aborted) late()
      // The chart takes a result up a few promise jobs later, and may leave in between.
      else signal.addEventListener('abort', () => void Promise.resolve().then(late))
      return facts
    })

  return authMachine.provide({
    actors: {
      // A moment later, so that who just called `createAuth` can listen before a store that fails is told of.
      readSession: fromPromise(({ signal }) =>
        heard(
          signal,
          Promise.resolve()
            .then(() => exchange.readSession())
            .then((adopted) => adopted?.facts),
        ),
      ),
      exchangeTokens: fromPromise(({ input, signal }) => heard(signal, exchange.exchange(input.attempt))),
      authenticate: fromPromise(({ signal }) => heard(signal, core.signIns.run(signal))),
      revokeTokens: fromPromise(() => core.revokePending()),
    },
    actions: {
      letRequestsPass: () => gate.letRequestsPass(),
      holdRequests: () => gate.holdRequests(),
      sendWithoutToken: () => gate.sendWithoutToken(),
      refuseRequests: ({ context: { standing, reason } }) => {
        const why = () => over(standing === 'left' ? 'left' : 'expired', reason, exchange.lastCause)
        if (standing === 'expired' && settings.whenExpired === 'hold') {
          gate.rejectRenewals(why)
          gate.holdRequests()
        } else gate.refuse(why)
      },
      rejectHeldRequests: ({ context: { failure } }) =>
        gate.rejectHeld(() => unavailable(failure?.reason, exchange.lastCause)),
      rejectRenewals: ({ context: { failure } }) =>
        gate.rejectRenewals(() => over('expired', failure?.reason, exchange.lastCause)),
      eraseTokens: ({ context }) => {
        const erased = vault.erase()
        if (!erased) return
        // The server has not ended this one, and would go on for whoever finds the tokens.
        if (context.reason === 'idle' || context.reason === 'lifetime') core.revoke(erased)
        store.clear(erased)
        core.announce('ended', erased.id)
      },
      dismissSession: ({ event }) => {
        const dismissed = vault.dismiss()
        core.leaveBehind(dismissed)
        if (event.type === 'session.removed') return store.forget()
        if (dismissed) {
          store.clear()
          return core.announce('ended', dismissed.id)
        }
        // Not restored yet, or begun elsewhere: only the store knows which session it is. The others find it gone.
        const cleared = store.clear(undefined, core.revokeLater)
        void Promise.resolve(cleared).then(() => core.announce('changed'))
      },
      syncWithStore: () => core.syncWithStore(),
      lookForUse: () => lastUse.look(),
    },
    guards: {
      tokenStillWorks: ({ context }) =>
        context.rejectedGeneration !== context.generation && !isDead(context.expiresAt),
      renewalIsDue: ({ context }) => isDead(context.renewAt),
      renewsByItself: () =>
        settings.renew === 'timer' || (settings.renew === 'activity' && gate.usedSinceRenewal),
      idleLimitReached: () => lastUse.isOver(),
      lifetimeReached: () => clock.now() >= diesAt(),
      mayRetryNow: ({ context }) => clock.now() >= context.notBefore,
      foundWorkingToken: ({ event }) => {
        const { output } = event as { output?: TokenFacts }
        return output !== undefined && !isDead(output.expiresAt)
      },
    },
    delays: {
      untilRenewal: ({ context }) => (settings.renew === 'demand' ? never : dueAt(context.renewAt)),
      untilExpiry: ({ context }) => dueAt(context.expiresAt),
      untilRetry: ({ context }) => dueAt(Math.max(context.retryAt, context.notBefore)),
      untilCooledDown: ({ context }) =>
        settings.renew === 'demand' ? never : Math.max(settings.retry.maxDelay, dueAt(context.notBefore)),
      // At least a moment: a limit that is not reached yet must not be looked at without pause.
      untilSessionLimit: () =>
        Math.max(lastUse.looking ? settings.timeouts.storage : 1, dueAt(Math.min(idleAt(), diesAt()))),
    },
  })
}

const never = Number.POSITIVE_INFINITY
