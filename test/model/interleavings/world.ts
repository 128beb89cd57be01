import { createAsks } from './asks.ts'
import { settled, turns } from './clock.ts'
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
  const asks = createAsks(around)
  /** What was delivered or lost since the last command, for its account. */
  let opened = 0

  function open(initial = false) {
    around.tabs.push(createTab(around, `tab ${opened++}`, initial))
  }
  open(config.signedIn)
  if (config.pages === 2) open()

  /** The tab that a command means: of those that are alive, so that commands seldom mean nothing. */
  const tabAt = (index: number): Tab | undefined => {
    const living = around.living()
    return living[index % living.length]
  }

  function judge() {
    const found = violations(around)
    around.facts = noFacts()
    if (found.length > 0) throw new Violation(found.join('\n'))
  }

  /** After a command: at rest and in order, or after some promise jobs only. */
  async function rest(jobs: number | undefined) {
    if (jobs !== undefined) return turns(jobs)
    await settled()
    judge()
  }

  async function deliver(pick: number) {
    around.refused = undefined
    const label = edges.deliver(pick)
    await settled()
    judge()
    return label
  }

  const flow = async () => {
    await settled()
    around.refused = undefined
    await edges.flush(async () => {
      await settled()
      around.refused = undefined
    })
    judge()
  }

  const pass = (ms: number, flowing: boolean) =>
    clock.advance(
      ms,
      flowing
        ? flow
        : async () => {
            await settled()
            judge()
          },
    )

  /** In steps, so that who waits for longer than allowed is seen waiting. */
  async function wait(ms: number) {
    for (let waited = 0; waited < ms; waited += 10_000) await pass(10_000, true)
  }

  function close(page: Tab, how: 'disposed' | 'killed') {
    if (how === 'disposed') page.dispose()
    else {
      page.page.gone = true
      edges.forget(page.page)
      coordinator.forget(page.page)
      for (const exchange of around.underWay) if (exchange.tab === page) around.underWay.delete(exchange)
    }
  }

  const heal = async () => {
    server.heal()
    store.breaks('none')
    coordinator.behave('works')
    for (const tab of around.tabs) asks.thaw(tab)
    around.signal('online')
    await wait(4 * HOLD)
  }

  /** Everything that was asked is answered, and a session that is alive works. */
  async function settleEverything() {
    for (const { asks: asked, page, auth } of around.tabs) {
      if (page.gone) continue
      for (const { settlements, name } of asked) {
        if (settlements === 0)
          throw new Violation(`I4: ${name} of ${page.name} never settled in ${auth.state}`)
      }
    }
    for (const last of around.living()) {
      // A token that a sibling renewed may have died meanwhile: the second refusal is the caller's, and the next one is not.
      if (!(await works(last)) && !(await works(last)))
        throw new Violation(`I4: requests of ${last.page.name} come to nothing in ${last.auth.state}`)
    }
  }

  async function works(tab: Tab): Promise<boolean> {
    const family = tab.family()
    asks.request(tab, { endpoint: 'plain', foreign: false, manner: 'replayable', timeout: undefined })
    const ask = tab.asks.at(-1)
    await wait(50_000)
    if (ask?.settlements !== 1) throw new Violation(`I4: the last request of ${tab.page.name} never settled`)
    const expected = family === tab.family() && family?.revoked === false
    // Doubt about an endpoint passes by the clock.
    return !expected || around.clockWasSetBack || (ask.gave as { status?: number })?.status === 200
  }

  /** Pages that could tell each other everything are of one mind. */
  function agree() {
    // Nobody announces what a hand in the store did, nor what a page did just before it was killed.
    const announced = !around.wiped && !around.tabs.some(({ page }) => page.gone)
    const channel = config.coordinator === 'lock' || config.coordinator === 'broken'
    const told = config.tells || (channel && announced)
    // Two sign-ins at once may be written in any order where a write takes its time.
    const sound =
      config.store === 'sound' && !config.slowStore && !around.tabs.some(({ storageFailed }) => storageFailed)
    if (!told || !sound || around.clockWasSetBack) return
    const stored = server.familyNamed(store.record?.scope)?.name
    for (const each of around.living()) {
      const kept = each.family()?.name
      if (kept !== stored) throw new Violation(`I5: ${each.page.name} has ${kept}, and the store ${stored}`)
    }
  }

  async function end() {
    await rest(undefined)
    await heal()
    await settleEverything()
    agree()
    for (const last of around.living()) close(last, 'disposed')
    await flow()
    await pass(10_000, true)
  }

  return {
    around,
    asks,
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
