/**
 * The other half of the proof: take one protection away, and the search must find what it protects from, on the
 * shortest way there. The traces are printed.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { createModel, type Setting } from './model.ts'
import { search } from './search.ts'
import { tell } from './trace.ts'

interface Break {
  readonly title: string
  readonly setting: Setting
  readonly breaks: string
  readonly steps: number
  /** The last thing that happens before it does. */
  readonly last: string
}

const BREAKS: readonly Break[] = [
  {
    title: 'there is no lock',
    setting: { budget: { deaths: 1 }, lock: false },
    breaks: 'I1: two exchanges of one session are under way at once',
    steps: 7,
    last: "tab B presents the refresh token of ada's tokens 1",
  },
  {
    title: 'there is no lock, and the server has no grace',
    setting: { budget: { deaths: 1 }, lock: false, unchecked: ['I1', 'I2'] },
    breaks: 'K: a session was lost to a race: its refresh token was used twice',
    steps: 9,
    last: "the server sees ada's tokens 1 a second time, and revokes the session",
  },
  {
    title: 'the store is not read again inside the lock',
    setting: { budget: { deaths: 1 }, rereadInLock: false },
    breaks: 'I2: a refresh token is presented again that was answered',
    steps: 9,
    last: "tab B presents the refresh token of ada's tokens 1",
  },
  {
    title: 'a result is committed without compare-and-set',
    setting: { budget: { deaths: 1, signOuts: 1 }, compareAndSet: false },
    breaks: 'I5: the result of an exchange reached the vault of another epoch',
    steps: 7,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a 401 for an older generation counts like one for the current',
    setting: { budget: { deaths: 1 }, generationCheck: false },
    breaks: 'I1: an exchange that nobody needs: the access token works',
    steps: 10,
    last: "tab A presents the refresh token of ada's tokens 2",
  },
  {
    title: 'whoever was let go is not checked again before it is sent',
    setting: { budget: { deaths: 1, signOuts: 1 }, checkAfterRelease: false },
    breaks: 'I3: a request leaves with a token after the session is over',
    steps: 9,
    last: 'tab A sends a replay',
  },
  {
    title: 'a replay whose token was at hand is not checked again before it is sent',
    setting: { budget: { deaths: 1, signOuts: 1 }, checkAtHand: false },
    breaks: 'I3: a request leaves with a token after the session is over',
    steps: 10,
    last: 'tab A sends a replay',
  },
  {
    title: 'replays have no limit',
    setting: { budget: { deaths: 2 }, replayLimit: false },
    breaks: 'I9: a request is replayed a second time',
    steps: 10,
    last: 'tab A: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it waits for its replay',
  },
  {
    title: 'nobody who waits is turned away when the session expires',
    setting: { budget: { deaths: 1, network: 1 }, emptyQueueOnExpiry: false },
    breaks: 'I4: a request waits for ever',
    steps: 13,
    last: 'tab B hears that its session ended',
  },
  {
    title: 'a failing server ends a session',
    setting: { budget: { deaths: 1, network: 1 }, patience: false },
    breaks: 'I6: a session has expired that the server has not ended',
    steps: 6,
    last: 'tab A takes a failure (5xx) for the end of the session',
  },
  {
    title: 'a renewed record is written without a look, while a sibling signs out',
    setting: { budget: { timers: 1, signOuts: 1 }, guardedWrite: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 6,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a renewed record is written without a look, while another user signs in',
    setting: { budget: { timers: 1, signIns: 1 }, guardedWrite: false },
    breaks: 'I5: an older token set overwrote a newer one in the store',
    steps: 7,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a session that expires clears the store without a look',
    setting: { budget: { timers: 1, network: 1, signIns: 1 }, guardedClear: false },
    breaks: 'I5: the end of a session cleared a newer one from the store',
    steps: 14,
    last: 'tab A sees by the clock that its access token is dead: the session expires',
  },
  {
    title: 'whoever reads that the record is gone forgets it again',
    setting: { budget: { timers: 1, signOuts: 1, signIns: 1 }, remembersGone: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 9,
    last: "tab A gets bob's tokens 2, commits and stores them",
  },
  {
    title: 'a store is not trusted with a record that was written, until it was read',
    setting: { budget: { timers: 1, signOuts: 2, signIns: 1, crashes: 1 }, readsBack: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 11,
    last: "tab A gets bob's tokens 2, commits and stores them",
  },
  {
    title: 'the end of a session does not say of which',
    setting: { budget: { signIns: 1, signOuts: 1 }, namedEnds: false },
    breaks: 'A: a tab and the store have different sessions',
    steps: 6,
    last: "tab A takes over bob's tokens 1",
  },
  {
    title: 'tabs hear of each other in any order',
    setting: { budget: { signIns: 1, signOuts: 1 }, ordered: false },
    breaks: 'A: a tab and the store have different sessions',
    steps: 5,
    last: 'tab B hears that its session ended',
  },
]

const printed: string[] = []

describe('the search finds the counter-example', () => {
  it.each(BREAKS)('where $title', ({ title, setting, breaks, steps, last }) => {
    const model = createModel(setting)
    const { finding } = search(model)
    const trace = finding ? tell(model, finding) : []
    printed.push([`Where ${title}:`, ...trace].join('\n  '))
    expect(trace.at(-1)).toBe(`=> ${breaks}`)
    expect(trace.at(-2)).toBe(`${steps}. ${last}`)
  })

  afterAll(() => console.log(printed.join('\n\n')))
})
