import { afterAll, describe, expect, it } from 'vitest'
import { triedHere } from '../../support/code-seed.ts'
import { BUDGETS } from './budget.ts'
import { createModel, type Setting } from './model.ts'
import { type Result, SEARCH_TIMEOUT, search } from './search.ts'
import type { Step } from './stepper.ts'

import { describeTrace } from './trace.ts'

/** Settings to search to a fixed point, with three requests in two tabs, in every distribution of the requests. */
const ROWS: readonly (readonly [title: string, setting: Setting])[] = [
  ['two refreshes, each for a 401 or by the clock', { budget: { invalidations: 2 } }],
  ['a refresh and an early refresh at the same time', { budget: { invalidations: 1, timers: 1 } }],
  ['a refresh, a sign-out and another user', { budget: { invalidations: 1, signOuts: 1, signIns: 1 } }],
  [
    'sign-outs that revoke the session at the server',
    { budget: { timers: 1, signOuts: 1, signIns: 1 }, revokes: true },
  ],
  [
    'messages between tabs in any order, after which the tabs may have different sessions',
    { budget: { timers: 1, signOuts: 1, signIns: 1 }, ordered: false, unchecked: ['A'] },
  ],
  [
    'a token endpoint that fails, answers late, or whose answer is lost',
    { budget: { invalidations: 1, network: 1 } },
  ],
  ['a failing token endpoint while the old access token still works', { budget: { timers: 1, network: 1 } }],
  [
    'a failing token endpoint with a grace of one token, at which no session is lost',
    { budget: { invalidations: 1, network: 1 }, grace: true },
  ],
  [
    'a failing token endpoint with a grace of one token, a sign-out and another user',
    { budget: { timers: 1, signOuts: 1, signIns: 1, network: 1 }, grace: true },
  ],
  ['a lock that is stolen or not granted', { budget: { invalidations: 1, locks: 1 } }],
  [
    'a lock that is stolen or not granted, a sign-out and another user',
    { budget: { timers: 1, signOuts: 1, signIns: 1, locks: 1 } },
  ],
  ['a tab that crashes and is reloaded', { budget: { invalidations: 1, crashes: 1 } }],
  [
    'a tab that crashes and is reloaded, a sign-out and another user',
    { budget: { timers: 1, signOuts: 1, signIns: 1, crashes: 1 } },
  ],
  ['a store that fails', { budget: { invalidations: 1, store: 1 } }],
  [
    'a store that fails, a sign-out and another user',
    { budget: { timers: 1, signOuts: 1, signIns: 1, store: 1 } },
  ],
  [
    'no lock and a server with a grace of one token: compare-and-set keeps all invariants but I1 and I2',
    { budget: { invalidations: 1 }, lock: false, grace: true, unchecked: ['I1', 'I2'] },
  ],
]

const lines: string[] = []
/** The steps that were taken in any setting. A step that is never possible proves nothing. */
const happened = new Set<string>()
let states = 0

function report(title: string, { budget }: Setting, result: Result) {
  states += result.states
  const given = BUDGETS.filter((name) => budget[name]).map((name) => `${name} ${budget[name]}`)
  const column = (value: number, width: number) => value.toLocaleString('en').padStart(width)
  lines.push(
    `  ${column(result.states, 7)} states, ${column(result.transitions, 9)} transitions, ` +
      `deepest ${result.deepest}, no invariant broken, in ${result.seconds.toFixed(1)} s: ` +
      `${title} (${given.join(', ')})`,
  )
}

describe('exhaustive search over three requests, two tabs and a server with rotation', () => {
  const rows = triedHere(ROWS, 8)

  it.each(rows)(
    'no reachable state violates an invariant with %s',
    { timeout: SEARCH_TIMEOUT },
    (title, setting) => {
      const model = createModel(setting)
      const result = search<Step>({
        ...model,
        expand: (states, at, visit) =>
          model.expand(states, at, (next, step, wrong) => {
            happened.add(step.words)
            visit(next, step, wrong)
          }),
      })
      expect(result.finding && describeTrace(model, result.finding)).toBeUndefined()
      expect(result.endless, 'a run that never ends').toBe(false)
      report(title, setting, result)
    },
  )

  // A part of the settings does not take all of them.
  if (rows.length === ROWS.length)
    it('the search takes every kind of step in at least one setting', () => {
      expect([...happened].sort()).toMatchInlineSnapshot(`
      [
        "the access token becomes invalid",
        "the lock of {tab} is stolen",
        "the network breaks before the server gets {tokens}",
        "the server fails (5xx), and does nothing",
        "the server refuses {tokens}: the session has ended",
        "the server revokes the session that was signed out",
        "the server rotates {tokens}",
        "the server rotates {tokens}, and the answer is lost",
        "the server sees {tokens} a second time, and revokes the session",
        "the server takes {tokens} within its grace, and gives the current tokens",
        "{tab} crashes and is reloaded: it reads the store",
        "{tab} drops a refresh that is out of date",
        "{tab} finds its record gone, and logs out",
        "{tab} finds no session to restore",
        "{tab} finds nothing new",
        "{tab} finds nothing new, and refreshes again",
        "{tab} found its record gone, and logs out",
        "{tab} gets the lock, and drops a refresh that is out of date",
        "{tab} gets the lock, and reads the store",
        "{tab} gets the lock, and the store does not answer",
        "{tab} gets {tokens} after its deadline, and commits them",
        "{tab} gets {tokens} after its deadline, and commits them; but the store has changed meanwhile, and {tab} follows it",
        "{tab} gets {tokens}, commits and stores them",
        "{tab} gets {tokens}, commits and stores them; but the store has changed meanwhile, and {tab} follows it",
        "{tab} gets {tokens}, commits and stores them; the store rejects the record, and cannot be cleared",
        "{tab} gets {tokens}, commits and stores them; the store rejects the record, and is cleared",
        "{tab} gets {tokens}, too late: its vault has changed, and they are dropped",
        "{tab} gives a request that was released the newer token",
        "{tab} goes on with its last access token",
        "{tab} has expired since it read the store, and reads it again",
        "{tab} holds a request",
        "{tab} holds a request again that was released",
        "{tab} is refused, and reads the store again",
        "{tab} merges {tokens}",
        "{tab} merges {tokens} from the store, without a refresh",
        "{tab} merges {tokens}: another tab refreshed first",
        "{tab} presents the refresh token of {tokens}",
        "{tab} reads the store",
        "{tab} receives a failure that no state waits for",
        "{tab} receives the message that a session expired, and has none",
        "{tab} receives the message that another session ended, and reads the store",
        "{tab} receives the message that its session expired",
        "{tab} receives the message that the store changed, and reads the store",
        "{tab} receives the message that the user signed out of its session",
        "{tab} rejects a request that was released too late",
        "{tab} sees by the clock that its access token is invalid: the gate closes",
        "{tab} sees by the clock that its access token is invalid: the gate closes, and a refresh begins",
        "{tab} sees by the clock that its access token is invalid: the session expires",
        "{tab} sends a held request",
        "{tab} sends a replay",
        "{tab} sends a request",
        "{tab} waits too long for the lock, goes on without it, and reads the store",
        "{tab} was refused, and no state waits for it",
        "{tab}: a request is answered 401 for an older token set; a newer one is at hand for its replay",
        "{tab}: a request is answered 401 for an older token set; it is rejected",
        "{tab}: a request is answered 401 for an older token set; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it was a replay already, so that is its answer",
        "{tab}: a request is answered 401 for the current token set: the gate closes; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the session expires; it is rejected",
        "{tab}: a request is answered 401 for the current token set; it is rejected",
        "{tab}: a request is answered 401 for the current token set; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set; it was a replay already, so that is its answer",
        "{tab}: another user signs in",
        "{tab}: no answer came: no attempt is left, and held requests are rejected",
        "{tab}: no answer came: no state waits for it",
        "{tab}: no answer came: the store is read again",
        "{tab}: the backoff ends: another attempt",
        "{tab}: the caller of a request that waits gives up",
        "{tab}: the cool-down ends: another attempt",
        "{tab}: the deadline for the answer passes: no attempt is left, and held requests are rejected",
        "{tab}: the deadline for the answer passes: no state waits for it",
        "{tab}: the deadline for the answer passes: the store is read again",
        "{tab}: the refresh failed, and no attempt is left: held requests are rejected",
        "{tab}: the refresh failed, and will be attempted again",
        "{tab}: the session has expired",
        "{tab}: the sign-in is refused",
        "{tab}: the sign-in succeeds",
        "{tab}: the sign-in succeeds; the store rejects the record, and cannot be cleared",
        "{tab}: the sign-in succeeds; the store rejects the record, and is cleared",
        "{tab}: the time for an early refresh comes: a refresh begins, with the gate open",
        "{tab}: the user signs out",
      ]
    `)
    })

  afterAll(() => {
    console.log(
      [
        `exhaustive: ${states.toLocaleString('en')} states in ${lines.length} settings, each to a fixed point`,
        ...lines,
      ].join('\n'),
    )
  })
})
