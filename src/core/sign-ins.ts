import type { TokenFacts } from '../../machines/index.ts'
import { SignedOutError, SignInTimeoutError } from './errors.ts'
import { read } from './exchange.ts'
import type { AuthOptions } from './options.ts'
import type { Clock } from './ports.ts'
import type { Timed } from './timed.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'
import type { Session, Vault } from './vault.ts'

export interface SignInOptions {
  readonly vault: Vault
  readonly clock: Clock
  readonly timed: Timed
  readonly timeout: number
  readonly signIn: AuthOptions<never>['signIn']
  readonly keep: () => Promise<void>
  /** Runs it when no other answer is on its way that sets a cookie. */
  readonly inTurn: <T>(task: (left: number) => Promise<T>, time: number) => Promise<T>
  /** Tokens of a sign-in that nobody waits for any more. */
  readonly discard: (tokens: Tokens) => void
}

interface Pending {
  readonly credentials: unknown
  readonly resolve: (session: Session) => void
  readonly reject: (error: unknown) => void
}

/** The sign-in that is pending: its credentials wait here, outside the chart, for the chart to ask for them. */
export function createSignIns({
  vault,
  clock,
  timed,
  timeout,
  signIn,
  keep,
  inTurn,
  discard,
}: SignInOptions) {
  let pending: Pending | undefined
  /** How the last sign-in ended, until the chart has gone on: who awaits it shall find the chart there. */
  let outcome: (() => unknown) | undefined

  return {
    /** Makes a sign-in the pending one; the one before it is over. */
    begin(credentials: unknown): Promise<Session> {
      this.cancel(new SignedOutError({ reason: 'superseded' }))
      return new Promise((resolve, reject) => {
        pending = { credentials, resolve, reject }
      })
    },

    cancel(error: unknown) {
      pending?.reject(error)
      pending = undefined
    },

    /** Runs the pending sign-in for the chart, which hears facts, or that it failed, and never why. */
    async run(left: { readonly aborted: boolean }): Promise<TokenFacts> {
      const mine = pending
      try {
        if (!mine || !signIn) throw new SignedOutError()
        const parse = (response: unknown) => parseTokenResponse(response, clock.now(), true)
        const tokens = await inTurn(async (left) => {
          if (pending !== mine) throw new SignedOutError({ reason: 'superseded' })
          return timed.run(
            async (signal) => parse(await read(await signIn(mine.credentials as never, { signal }))),
            left,
            () => new SignInTimeoutError(),
            discard,
          )
        }, timeout)
        if (left.aborted || pending !== mine) {
          discard(tokens)
          throw new SignedOutError({ reason: 'superseded' })
        }
        const facts = vault.begin(tokens)
        const { session } = vault
        const kept = keep()
        outcome = async () => {
          await kept
          if (session && vault.epoch === facts.epoch) mine.resolve(session)
          else mine.reject(new SignedOutError({ reason: 'superseded' }))
        }
        return facts
      } catch (error) {
        // Where the chart has left already, nothing tells it to go on.
        if (left.aborted) mine?.reject(error)
        else outcome = () => mine?.reject(error)
        throw REFUSED
      }
    },

    /** The chart has gone on. */
    settle() {
      void outcome?.()
      outcome = undefined
    },
  }
}

export type SignIns = ReturnType<typeof createSignIns>

/** What a user's function threw may hold credentials, so the chart is told only that it threw. */
const REFUSED = Object.freeze({ reason: 'sign_in_failed' })
