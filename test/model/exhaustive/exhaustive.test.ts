import { afterAll, describe, expect, it } from 'vitest'
import { BUDGETS } from './budget.ts'
import { createModel, type Setting } from './model.ts'
import type { Step } from './play.ts'
import { type Result, search } from './search.ts'

import { tell } from './trace.ts'

/** Each explored to a fixed point, with three requests in two tabs, in each way to share them out. */
const ROWS: readonly (readonly [title: string, setting: Setting])[] = [
  ['two refreshes, each for a 401 or by the clock', { budget: { deaths: 2 } }],
  ['a refresh, and an early renewal beside it', { budget: { deaths: 1, timers: 1 } }],
  ['a refresh, a sign-out and another user', { budget: { deaths: 1, signOuts: 1, signIns: 1 } }],
  ['sign-outs that the server is told of', { budget: { timers: 1, signOuts: 1, signIns: 1 }, revokes: true }],
  [
    'tabs that hear of each other in any order, and may end up apart',
    { budget: { timers: 1, signOuts: 1, signIns: 1 }, ordered: false, unchecked: ['A'] },
  ],
  ['a token endpoint that fails, is late, or is not heard', { budget: { deaths: 1, network: 1 } }],
  ['the same while the old token still works', { budget: { timers: 1, network: 1 } }],
  [
    'the same at a server with a grace of one, where it costs no session',
    { budget: { deaths: 1, network: 1 }, grace: true },
  ],
  [
    'the same beside a sign-out and another user',
    { budget: { timers: 1, signOuts: 1, signIns: 1, network: 1 }, grace: true },
  ],
  ['a lock that is stolen, or waited for in vain', { budget: { deaths: 1, locks: 1 } }],
  ['such a lock, a sign-out and another user', { budget: { timers: 1, signOuts: 1, signIns: 1, locks: 1 } }],
  ['a tab that crashes and is loaded again', { budget: { deaths: 1, crashes: 1 } }],
  ['such a tab, a sign-out and another user', { budget: { timers: 1, signOuts: 1, signIns: 1, crashes: 1 } }],
  ['a store that fails', { budget: { deaths: 1, store: 1 } }],
  ['such a store, a sign-out and another user', { budget: { timers: 1, signOuts: 1, signIns: 1, store: 1 } }],
  [
    'no lock at all, at a server with a grace of one: compare-and-set is enough, but for I1 and I2',
    { budget: { deaths: 1 }, lock: false, grace: true, unchecked: ['I1', 'I2'] },
  ],
]

const lines: string[] = []
/** What happened at all: a step that is never possible proves nothing. */
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

describe('three requests, two tabs and a server with rotation keep every invariant, to a fixed point', () => {
  it.each(ROWS)('with %s', { timeout: 120_000 }, (title, setting) => {
    const model = createModel(setting)
    const result = search<Step>({
      ...model,
      expand: (states, at, visit) =>
        model.expand(states, at, (next, step, wrong) => {
          happened.add(step.words)
          visit(next, step, wrong)
        }),
    })
    expect(result.finding && tell(model, result.finding)).toBeUndefined()
    expect(result.endless, 'a run that never ends').toBe(false)
    report(title, setting, result)
  })

  it('and every kind of step was taken on the way', () => {
    expect([...happened].sort()).toMatchInlineSnapshot(`
      [
        "the access token dies",
        "the lock of {tab} is stolen",
        "the network breaks before the server gets {tokens}",
        "the server fails (5xx), and does nothing",
        "the server refuses {tokens}: the session is dead",
        "the server revokes what was signed out",
        "the server rotates {tokens}",
        "the server rotates {tokens}, and the answer is lost",
        "the server sees {tokens} a second time, and revokes the session",
        "the server takes {tokens} within its grace, and gives the current tokens",
        "{tab} crashes and is loaded again: it reads the store",
        "{tab} drops an exchange that is out of date",
        "{tab} finds its record gone, and logs out",
        "{tab} finds no session to restore",
        "{tab} finds nothing new",
        "{tab} finds nothing new, and tries the exchange again",
        "{tab} found its record gone, and logs out",
        "{tab} gets the lock, and reads the store",
        "{tab} gets the lock, and the store does not answer",
        "{tab} gets {tokens} after its deadline, and commits them",
        "{tab} gets {tokens} after its deadline, and commits them; but the store says otherwise by now, and {tab} follows it",
        "{tab} gets {tokens}, commits and stores them",
        "{tab} gets {tokens}, commits and stores them; but the store says otherwise by now, and {tab} follows it",
        "{tab} gets {tokens}, commits and stores them; the store refuses the record, and is cleared",
        "{tab} gets {tokens}, commits and stores them; the store refuses the record, and to be cleared",
        "{tab} gets {tokens}, too late: its vault has changed, and they are dropped",
        "{tab} gives a request that was let go the newer token",
        "{tab} goes on with its last access token",
        "{tab} has expired since it read the store, and reads it again",
        "{tab} hears of a change, and reads the store",
        "{tab} hears of a failure that concerns nobody",
        "{tab} hears that another session ended, and reads the store",
        "{tab} hears that its session ended",
        "{tab} holds a request",
        "{tab} holds a request again that was let go",
        "{tab} is refused, and reads the store again",
        "{tab} presents the refresh token of {tokens}",
        "{tab} reads the store",
        "{tab} sees by the clock that its access token is dead: the gate closes",
        "{tab} sees by the clock that its access token is dead: the gate closes, and a refresh begins",
        "{tab} sees by the clock that its access token is dead: the session expires",
        "{tab} sends a replay",
        "{tab} sends a request",
        "{tab} sends a request it had held",
        "{tab} takes over {tokens}",
        "{tab} takes over {tokens} from the store, without asking the server",
        "{tab} takes over {tokens}: a sibling won the race",
        "{tab} turns a request away that was let go too late",
        "{tab} waits too long for the lock, goes on without it, and reads the store",
        "{tab} was refused, and nobody listens",
        "{tab}: a request is answered 401 for an older token set; a newer one is at hand for its replay",
        "{tab}: a request is answered 401 for an older token set; it is turned away",
        "{tab}: a request is answered 401 for an older token set; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it was a replay already, so that is its answer",
        "{tab}: a request is answered 401 for the current token set: the gate closes; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set: the session expires; it is turned away",
        "{tab}: a request is answered 401 for the current token set; it is turned away",
        "{tab}: a request is answered 401 for the current token set; it waits for its replay",
        "{tab}: a request is answered 401 for the current token set; it was a replay already, so that is its answer",
        "{tab}: another user signs in",
        "{tab}: it is time for an early renewal: a refresh begins, with the gate open",
        "{tab}: no answer came: all tries are spent, who waits is turned away",
        "{tab}: no answer came: nobody listens",
        "{tab}: no answer came: the store is read again",
        "{tab}: the backoff is over: another try",
        "{tab}: the caller of a request that waits gives up",
        "{tab}: the cool-down is over: another try",
        "{tab}: the deadline for the answer passes: all tries are spent, who waits is turned away",
        "{tab}: the deadline for the answer passes: nobody listens",
        "{tab}: the deadline for the answer passes: the store is read again",
        "{tab}: the exchange failed, and all tries are spent: who waits is turned away",
        "{tab}: the exchange failed, and will be tried again",
        "{tab}: the session has expired",
        "{tab}: the sign-in is refused",
        "{tab}: the sign-in succeeds",
        "{tab}: the sign-in succeeds; the store refuses the record, and is cleared",
        "{tab}: the sign-in succeeds; the store refuses the record, and to be cleared",
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
