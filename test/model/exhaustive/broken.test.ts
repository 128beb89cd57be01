/**
 * The other half of the proof: without one of the protections, the search must find the violation that it prevents, on
 * a shortest way. The traces are printed.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { createModel, type Setting } from './model.ts'
import { SEARCH_TIMEOUT, search } from './search.ts'
import { describeTrace } from './trace.ts'

interface Violation {
  readonly title: string
  readonly setting: Setting
  readonly breaks: string
  readonly steps: number
  /** The last step before the violation. */
  readonly last: string
}

const VIOLATIONS: readonly Violation[] = [
  {
    title: 'there is no lock',
    setting: { budget: { invalidations: 1 }, lock: false },
    breaks: 'I1: two refreshes of one session run at the same time',
    steps: 7,
    last: "tab B presents the refresh token of ada's tokens 1",
  },
  {
    title: 'there is no lock, and the server has no grace',
    setting: { budget: { invalidations: 1 }, lock: false, unchecked: ['I1', 'I2'] },
    breaks: 'K: a session was lost to a race: its refresh token was used twice',
    steps: 9,
    last: "the server sees ada's tokens 1 a second time, and revokes the session",
  },
  {
    title: 'the store is not read again inside the lock',
    setting: { budget: { invalidations: 1 }, rereadInLock: false },
    breaks: 'I2: a refresh token is presented again that was answered',
    steps: 9,
    last: "tab B presents the refresh token of ada's tokens 1",
  },
  {
    title: 'a result is committed without compare-and-set',
    setting: { budget: { invalidations: 1, signOuts: 1 }, compareAndSet: false },
    breaks: 'I5: the result of a refresh reached the vault of another epoch',
    steps: 7,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a 401 for an older generation counts like one for the current generation',
    setting: { budget: { invalidations: 1 }, generationCheck: false },
    breaks: 'I1: a needless refresh: the access token works',
    steps: 10,
    last: "tab A presents the refresh token of ada's tokens 2",
  },
  {
    title: 'a released request is not checked again before it is sent',
    setting: { budget: { invalidations: 1, signOuts: 1 }, checkAfterRelease: false },
    breaks: 'I3: a request is sent with a token after the session ended',
    steps: 9,
    last: 'tab A sends a replay',
  },
  {
    title: 'a replay that did not wait for a token is not checked again before it is sent',
    setting: { budget: { invalidations: 1, signOuts: 1 }, checkAtHand: false },
    breaks: 'I3: a request is sent with a token after the session ended',
    steps: 10,
    last: 'tab A sends a replay',
  },
  {
    title: 'replays have no limit',
    setting: { budget: { invalidations: 2 }, replayLimit: false },
    breaks: 'I9: a request is replayed a second time',
    steps: 10,
    last: 'tab A: a request is answered 401 for the current token set: the gate closes, and a refresh begins; it waits for its replay',
  },
  {
    title: 'held requests are not rejected when the session expires',
    setting: { budget: { invalidations: 1, network: 1 }, rejectHeldOnExpiry: false },
    breaks: 'I4: a request waits forever',
    steps: 13,
    last: 'tab B receives the message that its session expired',
  },
  {
    title: 'a 5xx answer ends the session',
    setting: { budget: { invalidations: 1, network: 1 }, toleratesFailures: false },
    breaks: 'I6: a session has expired that the server has not ended',
    steps: 6,
    last: 'tab A takes a failure (5xx) for the end of the session',
  },
  {
    title: 'a refreshed record is written without reading the store while another tab signs out',
    setting: { budget: { timers: 1, signOuts: 1 }, guardedWrite: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 6,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a refreshed record is written without reading the store while another user signs in',
    setting: { budget: { timers: 1, signIns: 1 }, guardedWrite: false },
    breaks: 'I5: an older token set overwrote a newer one in the store',
    steps: 7,
    last: "tab A gets ada's tokens 2, commits and stores them",
  },
  {
    title: 'a session that expires clears the store without reading it',
    setting: { budget: { timers: 1, network: 1, signIns: 1 }, guardedClear: false },
    breaks: 'I5: the end of a session cleared a newer one from the store',
    steps: 14,
    last: 'tab A sees by the clock that its access token is invalid: the session expires',
  },
  {
    title: 'only the first read reports that the record was removed',
    setting: { budget: { timers: 1, signOuts: 1, signIns: 1 }, remembersRemoval: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 9,
    last: "tab A gets bob's tokens 2, commits and stores them",
  },
  {
    // What the core does, see `CORE_PROTECTIONS`.
    title: 'a store is not trusted to keep a written record until the tab has read it',
    setting: { budget: { timers: 1, signOuts: 2, signIns: 1, crashes: 1 }, trustsWrites: false },
    breaks: 'I5: a session was stored after its sign-out',
    steps: 11,
    last: "tab A gets bob's tokens 2, commits and stores them",
  },
  {
    title: 'the message about the end of a session does not name the session',
    setting: { budget: { signIns: 1, signOuts: 1 }, endNamesSession: false },
    breaks: 'E: a session ended as signed out without a sign-out',
    steps: 4,
    last: 'tab B receives the message that the user signed out of its session',
  },
  {
    title: 'the message about the end of a session does not say why',
    setting: { budget: { invalidations: 1, network: 1 }, endSaysWhy: false },
    breaks: 'E: a session ended as signed out without a sign-out',
    steps: 13,
    last: 'tab B receives the message that the user signed out of its session',
  },
  {
    title: 'a missing record counts as a sign-out before messages can arrive',
    setting: { budget: { invalidations: 1, network: 1 }, looksTwice: false },
    breaks: 'E: a session ended as signed out without a sign-out',
    steps: 13,
    last: "tab A gets ada's tokens 2 after its deadline, and commits them; but the store has changed meanwhile, and tab A follows it",
  },
  {
    title: 'tabs receive messages in any order',
    setting: { budget: { signIns: 1, signOuts: 1 }, ordered: false },
    breaks: 'A: a tab and the store have different sessions',
    steps: 5,
    last: 'tab B receives the message that the user signed out of its session',
  },
]

const printed: string[] = []

describe('exhaustive search with a protection removed', () => {
  it.each(VIOLATIONS)(
    'the search finds a shortest violation if $title',
    { timeout: SEARCH_TIMEOUT },
    ({ title, setting, breaks, steps, last }) => {
      const model = createModel(setting)
      const { finding } = search(model)
      const trace = finding ? describeTrace(model, finding) : []
      printed.push([`If ${title}:`, ...trace].join('\n  '))
      expect(trace.at(-1)).toBe(`=> ${breaks}`)
      expect(trace.at(-2)).toBe(`${steps}. ${last}`)
    },
  )

  afterAll(() => console.log(printed.join('\n\n')))
})
