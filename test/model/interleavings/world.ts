import { createCalls } from './calls.ts'
import { microtasks, settled } from './clock.ts'
import { type Config, HOLD } from './config.ts'
import { noFacts } from './facts.ts'
import { violations } from './invariants.ts'
import { createSurroundings } from './surroundings.ts'
import { createTab, type Tab } from './tab.ts'

/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

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
      for (const refreshCall of around.underWay)
        if (refreshCall.tab === page) around.underWay.delete(refreshCall)
    }
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
    const channel = config.coordinator === 'lock' || config.coordinator === 'broken'
    const notified = config.notifies || (channel && announced)
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

  async function end() {
    around.reacts = false
    await rest(undefined)
    await heal()
    await checkCallsSettle()
    agree()
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
    rest,
    deliver,
    flow,
    pass,
    end,
    lose: (pick: number) => edges.lose(pick),
  }
}

export type World = ReturnType<typeof createWorld>
