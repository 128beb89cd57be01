/** Makes the real tabs take a step of the model. */

import type { Step } from './play.ts'
import { BACKOFF, type Call, type RealRequest, type RealTabs, responseOf, type Waiter } from './real-tabs.ts'
import { FREE, HELD, HELD_AGAIN, IDLE, IN_FLIGHT, REPLAYED, SENT, WAITING, type World } from './state.ts'

export interface Taken {
  readonly before: World
  readonly after: World
  readonly step: Step
  /** The user and the number of the tokens that the step is about. */
  readonly tokens: readonly [user: string, number: number]
}

/** What the real tabs wait for, by the place that it has in the model. */
export function createRealSteps(real: RealTabs) {
  const waiters = new Map<string, Waiter>()
  const calls = new Map<string, Call>()
  const requests: (RealRequest | undefined)[] = [undefined, undefined, undefined]

  type Handler = (taken: Taken) => unknown
  const tabOf = ({ step }: Taken) => real.tabs[step.tab]!

  /** The exchange that the step moves on. */
  const exchangeOf = ({ before, after, step: { tab } }: Taken) => {
    const others = after.tabs[tab]!.exchanges
    const index = before.tabs[tab]!.exchanges.findIndex(
      ({ stage }, place) => stage !== FREE && stage !== others[place]!.stage,
    )
    return `${tab}.${index}`
  }
  const call = (taken: Taken) => calls.get(exchangeOf(taken))!
  const waiter = (taken: Taken) => waiters.get(exchangeOf(taken))!

  /** The request that the step moves on from one of those stages. */
  const requestOf = ({ before, after, step }: Taken, ...stages: readonly number[]) =>
    before.requests.findIndex(
      ({ stage, pass, tab }, index) =>
        tab === step.tab &&
        stages.includes(stage) &&
        (stage !== after.requests[index]!.stage || pass !== after.requests[index]!.pass),
    )

  const handlers: readonly (readonly [words: RegExp, Handler])[] = [
    [
      /(sends|holds) a request$/,
      (taken) => {
        requests[requestOf(taken, IDLE)] = tabOf(taken).request()
      },
    ],
    [/answered 401/, (taken) => requests[requestOf(taken, IN_FLIGHT, REPLAYED)]!.flight!.answer(401)],
    [/gives up/, (taken) => requests[requestOf(taken, HELD, HELD_AGAIN)]!.abort()],
    [
      /gets the lock/,
      (taken) => {
        tabOf(taken).faults.read = taken.step.words.includes('does not answer')
        waiter(taken).grant()
      },
    ],
    [/waits too long/, (taken) => waiter(taken).refuse()],
    [
      /is stolen/,
      ({ before, step: { tab } }) => {
        const index = before.tabs[tab]!.exchanges.findIndex(({ locked }) => locked)
        waiters.get(`${tab}.${index}`)!.refuse()
      },
    ],
    [/crashes/, ({ step }) => real.reload(step.tab)],
    [/gets .*, (commits|too late)/, (taken) => call(taken).resolve(responseOf(...taken.tokens))],
    [/is refused, and reads/, (taken) => call(taken).reject({ status: 400, error: 'invalid_grant' })],
    [/the exchange failed|concerns nobody/, (taken) => call(taken).reject({ status: 503 })],
    [/no answer came/, (taken) => call(taken).reject(new TypeError('fetch failed'))],
    [/backoff is over/, () => real.clock.advance(BACKOFF)],
    [/early renewal/, (taken) => void tabOf(taken).auth.refresh().catch(ignore)],
    [/user signs out/, (taken) => void tabOf(taken).auth.signOut()],
    [/user signs in/, (taken) => void tabOf(taken).auth.signIn('').catch(ignore)],
    [/sign-in succeeds/, (taken) => tabOf(taken).signIns.shift()!.resolve(responseOf('bob', 1))],
    [/sign-in is refused/, (taken) => tabOf(taken).signIns.shift()!.reject(new Error('wrong password'))],
    [
      /hears (of a change|that)/,
      (taken) => {
        const { tab } = taken.step
        const left = taken.after.tabs[tab]!.inbox
        const index = taken.before.tabs[tab]!.inbox.findIndex((message, place) => message !== left[place])
        tabOf(taken).hear(tabOf(taken).inbox.splice(index, 1)[0]!)
      },
    ],
    // What a tab does with what it read in the store.
    [
      /takes over|finds (no|nothing|its record)|found its record|drops an exchange|presents|last access token|has expired|was refused/,
      (taken) => tabOf(taken).reads.shift()!(),
    ],
  ]

  return {
    requests,
    calls,

    async take(taken: Taken) {
      const { words } = taken.step
      if (words.includes('the store refuses the record')) {
        tabOf(taken).faults.write = true
        tabOf(taken).faults.clear = words.endsWith('to be cleared')
      }
      await real.clock.advance(1)
      await handlers.find(([pattern]) => pattern.test(words))?.[1](taken)
    },

    /** New exchanges and calls of the real tabs go with those of the model. */
    match({ before, after }: Taken) {
      after.tabs.forEach(({ exchanges }, number) => {
        exchanges.forEach(({ stage, orphan }, index) => {
          const isNew = stage !== before.tabs[number]!.exchanges[index]!.stage
          const at = real.tabs[number]!
          if (isNew && stage === WAITING) waiters.set(`${number}.${index}`, at.waiters.shift()!)
          if (isNew && stage === SENT && !orphan) calls.set(`${number}.${index}`, at.calls.shift()!)
        })
      })
    },
  }
}

export type RealSteps = ReturnType<typeof createRealSteps>

const ignore = () => {}
