/** Makes the real tabs take a step of the model. */
import { BACKOFF, type Call, type RealRequest, type RealTabs, responseOf, type Waiter } from './real-tabs.ts'
import { FREE, HELD, HELD_AGAIN, IDLE, IN_FLIGHT, REPLAYED, SENT, WAITING, type World } from './state.ts'
import type { Step } from './stepper.ts'

export interface Taken {
  readonly before: World
  readonly after: World
  readonly step: Step
  /** The user and the rotation number of the tokens of the step. */
  readonly tokens: readonly [user: string, number: number]
}

/** The pending lock waits, refresh calls and requests of the real tabs, by their position in the model. */
export function createRealSteps(real: RealTabs) {
  const waiters = new Map<string, Waiter>()
  const calls = new Map<string, Call>()
  const requests: (RealRequest | undefined)[] = [undefined, undefined, undefined]

  type Handler = (taken: Taken) => unknown
  const tabOf = ({ step }: Taken) => real.tabs[step.tab]!

  /** The position of the refresh attempt that the step changes: `<tab>.<index>`. */
  const attemptOf = ({ before, after, step: { tab } }: Taken) => {
    const others = after.tabs[tab]!.attempts
    const index = before.tabs[tab]!.attempts.findIndex(
      ({ stage }, position) => stage !== FREE && stage !== others[position]!.stage,
    )
    return `${tab}.${index}`
  }
  const call = (taken: Taken) => calls.get(attemptOf(taken))!
  const waiter = (taken: Taken) => waiters.get(attemptOf(taken))!

  /** The index of the request that the step moves on from one of these stages. */
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
        const index = before.tabs[tab]!.attempts.findIndex(({ locked }) => locked)
        waiters.get(`${tab}.${index}`)!.refuse()
      },
    ],
    [/crashes/, ({ step }) => real.reload(step.tab)],
    [/gets .*, (commits|too late)/, (taken) => call(taken).resolve(responseOf(...taken.tokens))],
    [/is refused, and reads/, (taken) => call(taken).reject({ status: 400, error: 'invalid_grant' })],
    [/the refresh failed|a failure that no state/, (taken) => call(taken).reject({ status: 503 })],
    [/no answer came/, (taken) => call(taken).reject(new TypeError('fetch failed'))],
    [/backoff ends/, () => real.clock.advance(BACKOFF)],
    [/early refresh/, (taken) => void tabOf(taken).auth.refresh().catch(ignore)],
    [/user signs out/, (taken) => void tabOf(taken).auth.signOut()],
    [/user signs in/, (taken) => void tabOf(taken).auth.signIn('').catch(ignore)],
    [/sign-in succeeds/, (taken) => tabOf(taken).signIns.shift()!.resolve(responseOf('bob', 1))],
    [/sign-in is refused/, (taken) => tabOf(taken).signIns.shift()!.reject(new Error('wrong password'))],
    [
      /receives the message/,
      (taken) => {
        const { tab } = taken.step
        const remaining = taken.after.tabs[tab]!.inbox
        const index = taken.before.tabs[tab]!.inbox.findIndex(
          (message, position) => message !== remaining[position],
        )
        tabOf(taken).receive(tabOf(taken).inbox.splice(index, 1)[0]!)
      },
    ],
    // Steps of a tab after a read of the store.
    [
      /merges|finds (no|nothing|its record)|found its record|drops a refresh|presents|last access token|has expired|was refused/,
      (taken) => tabOf(taken).reads.shift()!(),
    ],
  ]

  return {
    requests,
    calls,

    async take(taken: Taken) {
      const { words } = taken.step
      if (words.includes('the store rejects the record')) {
        tabOf(taken).faults.write = true
        tabOf(taken).faults.clear = words.endsWith('cannot be cleared')
      }
      await real.clock.advance(1)
      await handlers.find(([pattern]) => pattern.test(words))?.[1](taken)
    },

    /** Assigns new lock waits and refresh calls of the real tabs to the attempts of the model. */
    assignPending({ before, after }: Taken) {
      after.tabs.forEach(({ attempts }, number) => {
        attempts.forEach(({ stage, orphan }, index) => {
          const isNew = stage !== before.tabs[number]!.attempts[index]!.stage
          const at = real.tabs[number]!
          if (isNew && stage === WAITING) waiters.set(`${number}.${index}`, at.waiters.shift()!)
          if (isNew && stage === SENT && !orphan) calls.set(`${number}.${index}`, at.calls.shift()!)
        })
      })
    },
  }
}

const ignore = () => {}
