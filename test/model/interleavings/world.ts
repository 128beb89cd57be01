import { AuthError } from '../../../src/core/errors.ts'
import { createCalls } from './calls.ts'
import { microtasks, settled } from './clock.ts'
import { type Config, HOLD } from './config.ts'
import { noFacts, type RefreshCall } from './facts.ts'
import { violations } from './invariants.ts'
import { createSurroundings } from './surroundings.ts'
import { createTab, type Tab } from './tab.ts'
import { answerTo } from './token-endpoint.ts'

/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** A stop that may be taken for the slow timers of a hidden page, in milliseconds. */
const SHORT = 4_000

const heardExpiry = ({ received }: Tab) => [...received].some((reason) => reason !== 'signed_out')

/** One origin with its pages, its server and everything between them. */
export function createWorld(config: Config) {
  const around = createSurroundings(config)
  const { clock, edges, server, store, coordinator } = around
  const calls = createCalls(around)
  /** How many tabs have been opened, for their names. */
  let opened = 0

  function open(initial = false) {
    around.tabs.push(createTab(around, `tab ${opened++}`, initial))
  }
  open(config.signedIn)
  if (config.pages === 2) open()

  /** The tab for an index in a command. Only living tabs count, so that few commands have no effect. */
  const tabAt = (index: number): Tab | undefined => {
    const living = around.living()
    return living[index % living.length]
  }

  function checkInvariants() {
    const found = violations(around)
    around.facts = noFacts()
    if (found.length > 0) throw new Violation(found.join('\n'))
  }

  /** What follows a command: all promise jobs and a check of the invariants, or only some promise jobs. */
  async function rest(jobs: number | undefined) {
    if (jobs !== undefined) return microtasks(jobs)
    await settled()
    checkInvariants()
  }

  async function deliver(pick: number) {
    around.refused = undefined
    const label = edges.deliver(pick)
    await settled()
    checkInvariants()
    return label
  }

  const flow = async () => {
    await settled()
    around.refused = undefined
    await edges.flush(async () => {
      await settled()
      around.refused = undefined
    })
    checkInvariants()
  }

  const pass = (ms: number, flowing: boolean) =>
    clock.advance(
      ms,
      flowing
        ? flow
        : async () => {
            await settled()
            checkInvariants()
          },
    )

  /** Waits in steps, so that a call that waits for too long is noticed. */
  async function wait(ms: number) {
    for (let waited = 0; waited < ms; waited += 10_000) await pass(10_000, true)
  }

  function close(page: Tab, how: 'disposed' | 'killed') {
    if (how === 'disposed') page.dispose()
    else {
      page.page.closed = true
      edges.forget(page.page)
      coordinator.forget(page.page)
      // Its answers and its writes never arrive.
      for (const name of page.newest.keys()) around.lost.add(name)
      for (const refreshCall of [...around.underWay, ...page.unanswered]) {
        if (refreshCall.tab !== page) continue
        if (refreshCall.family) around.lost.add(refreshCall.family.name)
        around.underWay.delete(refreshCall)
      }
    }
  }

  /**
   * Stops a page for that long, as when a machine sleeps or its event loop is blocked. When it resumes, all its late timers
   * fire before it receives what has arrived meanwhile.
   */
  async function suspend(tab: Tab, ms: number, flowing: boolean) {
    calls.freeze(tab)
    await pass(ms, flowing)
    calls.thaw(tab)
    const arrived = edges.arrivedAt(tab.page)
    const answered = [...around.underWay].filter(
      (refreshCall) => refreshCall.tab === tab && arrived.some(({ label }) => label === answerTo(tab.page)),
    )
    around.refused = undefined
    await clock.fireLate(tab.page, settled)
    // A clock that was set back hides that a timer is late. After a second short stop, a timer looks like one of a hidden page.
    if (answered.length > 0 && !around.clockWasSetBack && ms > SHORT) noteAbandoned(tab, answered)
    for (const { deliver } of arrived) {
      around.refused = undefined
      deliver()
      await settled()
    }
    checkInvariants()
  }

  /** A page that resumes gave up a refresh, or a call that waited for it, although the answer had arrived. */
  function noteAbandoned(tab: Tab, answered: readonly RefreshCall[]) {
    const abandoned = (what: string) => around.facts.abandoned.push(`${tab.page.name} gave up ${what}`)
    for (const { aborted, family } of answered)
      if (aborted && family && tab.family() === family) abandoned(`the refresh of ${family.name}`)
    for (const { call, error } of around.facts.settlements)
      if (call.tab === tab && error instanceof AuthError && error.code === 'hold_timeout')
        abandoned(call.name)
  }

  const heal = async () => {
    server.heal()
    store.breaks('none')
    coordinator.behave('works')
    for (const tab of around.tabs) calls.thaw(tab)
    around.signal('online')
    await wait(4 * HOLD)
  }

  /** Every call has settled, and a session that is not revoked works. */
  async function checkCallsSettle() {
    for (const { calls: made, page, auth } of around.tabs) {
      if (page.closed) continue
      for (const { settlements, name } of made) {
        if (settlements === 0)
          throw new Violation(`I4: ${name} of ${page.name} never settled in ${auth.state}`)
      }
    }
    for (const last of around.living()) {
      // Try twice: a token from another tab may have expired, and then the caller receives the second 401 of a request.
      if (!(await works(last)) && !(await works(last)))
        throw new Violation(`I4: requests of ${last.page.name} do not succeed in ${last.auth.state}`)
    }
  }

  async function works(tab: Tab): Promise<boolean> {
    const family = tab.family()
    calls.request(tab, { endpoint: 'plain', foreign: false, behaviour: 'replayable', timeout: undefined })
    const call = tab.calls.at(-1)
    await wait(50_000)
    if (call?.settlements !== 1) throw new Violation(`I4: the last request of ${tab.page.name} never settled`)
    const expected = family === tab.family() && family?.revoked === false
    // The clock decides how long an endpoint must not cause a refresh.
    return !expected || around.clockWasSetBack || (call.gave as { status?: number })?.status === 200
  }

  /** Pages that could notify each other of everything have the same session. */
  function agree() {
    // No message announces a wiped store, or what a page did just before it was killed.
    const announced = !around.wiped && !around.tabs.some(({ page }) => page.closed)
    // A page that hears that an older session has expired does not take a missing record for the end of its own.
    const told = config.notifies && !(around.wiped && around.tabs.some(heardExpiry))
    const channel = config.coordinator === 'lock' || config.coordinator === 'broken'
    const notified = told || (channel && announced)
    // A slow store may write two simultaneous sign-ins in any order.
    const sound =
      config.store === 'sound' && !config.slowStore && !around.tabs.some(({ storageFailed }) => storageFailed)
    if (!notified || !sound || around.clockWasSetBack) return
    const stored = server.familyNamed(store.record?.scope)?.name
    for (const each of around.living()) {
      const kept = each.family()?.name
      if (kept !== stored) throw new Violation(`I5: ${each.page.name} has ${kept}, and the store ${stored}`)
    }
  }

  /** The next page could go on with what is in the store, unless the network has lost an answer. */
  function storeKeepsTheNewest() {
    const { record } = store
    const family = server.familyNamed(record?.scope)
    const { refreshToken } = record ?? {}
    if (!family || refreshToken === undefined || config.store !== 'sound' || config.cookie) return
    if (family.revoked || around.lost.has(family.name) || around.clockWasSetBack) return
    if (around.tabs.some(({ storageFailed }) => storageFailed)) return
    if (server.isSpent(refreshToken))
      throw new Violation(`I12: the store has a refresh token of ${family.name} that was used`)
  }

  async function end() {
    around.reacts = false
    await rest(undefined)
    await heal()
    await checkCallsSettle()
    agree()
    storeKeepsTheNewest()
    for (const last of around.living()) close(last, 'disposed')
    await flow()
    await pass(10_000, true)
  }

  return {
    around,
    calls,
    tab: tabAt,
    open,
    close,
    suspend,
    rest,
    deliver,
    flow,
    pass,
    end,
    lose: (pick: number) => edges.lose(pick),
  }
}

export type World = ReturnType<typeof createWorld>
