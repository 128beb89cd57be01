import { readFile } from 'node:fs/promises'
import type { Auth } from 'authchart'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { buildInto, newFolder } from './bundles.ts'
import { exported, panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

declare global {
  /** Set by `plain-page.html`. */
  var plain: { readonly auth: Auth<{ username: string; password: string }>; readonly api: typeof fetch }
}

/** A valid moment of a recording. */
const MOMENT = {
  at: 1,
  seenAt: 1,
  source: 'emitted',
  type: 'refreshed',
  facts: {},
  active: ['authenticated'],
  session: { epoch: 1, generation: 1, held: 0 },
}

/** The number of requests that wait for one refresh. */
const REQUESTS = 5

describe.skipIf(!hasChromium)('the panel in a plain HTML page, with the built package', () => {
  let built: Awaited<ReturnType<typeof newFolder>>
  const { open, server } = siteSuite(async () => {
    built = await newFolder()
    await buildInto(built.folder)
    return {
      files: { '/': await readFile(new URL('plain-page.html', import.meta.url), 'utf8') },
      folders: {
        '/authchart': built.folder,
        '/xstate': new URL('../../node_modules/xstate', import.meta.url).pathname,
      },
    }
  })
  afterAll(() => built?.remove())

  const signIn = (page: Page) =>
    page.evaluate(async () => {
      await plain.auth.signIn({ username: 'ada', password: 'correct' })
    })
  /** Sends requests, and resolves to their statuses. */
  const ask = (page: Page, count = REQUESTS) =>
    page.evaluate(async (count) => {
      const answers = Array.from({ length: count }, (_, number) => plain.api(`/api/books/${number}`))
      return (await Promise.all(answers)).map(({ status }) => status)
    }, count)

  /** Opens a page with an expired token, and sends requests that are answered after one refresh. */
  async function openAfterRefresh() {
    const page = await open()
    await signIn(page)
    server().expireAccessTokens()
    expect(await ask(page)).toEqual(Array(REQUESTS).fill(200))
    const panel = panelOf(page)
    await panel
      .part('[data-counter=done]')
      .filter({ hasText: String(REQUESTS) })
      .waitFor()
    return { page, panel }
  }

  it('lights the active states', async () => {
    const page = await open()
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    expect(await panel.litStates()).toEqual(['anonymous'])
    const entry = server().holdNext()
    const entered = signIn(page)
    await entry.arrived
    await panel.lit('authenticating').waitFor()
    entry.answer()
    await entered
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    await panel.words.filter({ hasText: 'authenticated: refreshable' }).waitFor()

    await panel.button('Inner states').click()
    await panel.lit('authenticated').waitFor()
    expect(await panel.litStates()).toEqual(['authenticated'])
  })

  it('shows each request that waits for a refresh, and its outcome', async () => {
    const page = await open()
    await signIn(page)
    server().expireAccessTokens()
    const refresh = server().holdNext()
    const answers = ask(page)
    await refresh.arrived
    const panel = panelOf(page)
    await panel.lit('refreshing.gate.closed').waitFor()
    await panel.part('[data-counter=held]').filter({ hasText: '5' }).waitFor()
    expect(await panel.lanes()).toEqual(Array(REQUESTS).fill('held: sent held'))
    expect(await panel.counters()).toEqual({
      requests: 5,
      inFlight: 0,
      held: 5,
      replayed: 0,
      done: 0,
      rejected: 0,
    })
    await panel.part('[data-fact="Requests held"]').filter({ hasText: '5' }).waitFor()

    refresh.answer()
    expect(await answers).toEqual(Array(REQUESTS).fill(200))
    await panel.part('[data-counter=done]').filter({ hasText: '5' }).waitFor()
    expect(await panel.counters()).toEqual({
      requests: 5,
      inFlight: 0,
      held: 0,
      replayed: 5,
      done: 5,
      rejected: 0,
    })
    expect(await panel.lanes()).toEqual(Array(REQUESTS).fill('done: sent held replayed'))
    expect(await panel.part('[data-request]').first().textContent()).toMatch(/^GET \/api\/books\/4200 \d/)
    expect(server().refreshes).toBe(1)
  })

  it('shows the lifetime, the generation and the scopes of the token', async () => {
    const page = await open()
    await signIn(page)
    const panel = panelOf(page)
    await panel
      .part('.countdown')
      .filter({ hasText: /^59 min \d+ s$/ })
      .waitFor()
    expect(await panel.part('[data-fact=Generation]').textContent()).toBe('Generation1')
    expect(await panel.part('.scopes li').allTextContents()).toEqual(['books:read', 'books:write'])
    await page.evaluate(() => plain.auth.signOut())
    await panel.part('.badge').filter({ hasText: 'loggedOut' }).waitFor()
    expect(await panel.part('.countdown').textContent()).toBe('')
    expect(await panel.part('.scopes').isHidden()).toBe(true)
  })

  it('filters events by category and by text', async () => {
    const { panel } = await openAfterRefresh()
    const events = await panel.events()
    expect(events).toContain('requestHeld')
    expect(events.filter((type) => type === 'signedIn' || type === 'refreshed')).toEqual([
      'refreshed',
      'signedIn',
    ])
    expect(events).not.toContain('session.signIn')

    await panel.filter('chart').click()
    await panel.part('[data-event="session.signIn"]').waitFor()
    for (const kind of ['chart', 'states', 'requests', 'trouble']) await panel.filter(kind).click()
    await expect.poll(panel.events).toEqual(['refreshed', 'signedIn'])
    await panel.filter('states').click()
    await panel.search.fill('  REFRESHING.attempt ')
    await expect.poll(panel.events).toEqual(['transition'])
    await panel.search.fill('nothing of the kind')
    await panel.part('.log .empty').waitFor()
    expect(await panel.events()).toEqual([])
    await panel.search.fill('')
    await panel.part('[data-event=signedIn]').waitFor()
  })

  it('shows a past moment when its row is chosen, and returns to the live session', async () => {
    const { page, panel } = await openAfterRefresh()
    await panel.part('[data-event=transition]').filter({ hasText: 'authenticating' }).last().click()
    await panel.lit('authenticating').waitFor()
    expect(await panel.isLive()).toBe(false)
    expect(await panel.litStates()).toEqual(['authenticating'])
    expect(await panel.counters()).toMatchObject({ requests: 0, done: 0 })
    expect(await panel.lanes()).toEqual([])
    expect(await panel.litEdges()).toEqual(['* -> authenticating'])

    await ask(page, 1)
    expect(await panel.litStates()).toEqual(['authenticating'])
    await panel.live.click()
    await panel.lit('authenticated').waitFor()
    await panel.part('[data-counter=requests]').filter({ hasText: '6' }).waitFor()
    expect(await panel.isLive()).toBe(true)
    await expect.poll(() => panel.part('.edge[data-active]').count()).toBe(0)
  })

  it('moves back and ahead with buttons and the slider', async () => {
    const { panel } = await openAfterRefresh()
    const end = Number(await panel.slider.getAttribute('max'))
    expect(end).toBeGreaterThan(5)
    expect(await panel.slider.inputValue()).toBe(String(end))
    expect(await panel.slider.getAttribute('aria-valuetext')).toBe('live')
    const [back, ahead] = [panel.button('One moment back'), panel.button('One moment ahead')]
    expect(await ahead.isDisabled()).toBe(true)

    await panel.moveTo(0)
    await expect.poll(() => back.isDisabled()).toBe(true)
    expect(await panel.part('.when').textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}, .* before the end$/)
    await ahead.click()
    await expect.poll(() => panel.slider.inputValue()).toBe('1')
    await back.click()
    await expect.poll(() => panel.slider.inputValue()).toBe('0')
    await panel.moveTo(end)
    await expect.poll(() => ahead.isDisabled()).toBe(true)
    expect(await panel.isLive()).toBe(false)
    await panel.live.click()
    await expect.poll(panel.isLive).toBe(true)
  })

  it('moves through the log with keys, and Escape returns to the live session', async () => {
    const { page, panel } = await openAfterRefresh()
    await panel.unfold()
    await panel.log.focus()
    const press = (key: string) => page.keyboard.press(key)
    await press('ArrowDown')
    await expect.poll(panel.active).toBe(0)
    await press('ArrowDown')
    await expect.poll(panel.active).toBe(1)
    expect(await panel.chosen.count()).toBe(1)
    await press('End')
    await expect.poll(panel.active).toBe((await panel.events()).length - 1)
    await press('ArrowUp')
    await expect.poll(panel.active).toBe((await panel.events()).length - 2)
    await press('Home')
    await expect.poll(panel.active).toBe(0)
    await press('Escape')
    await expect.poll(panel.active).toBe(undefined)
    expect(await panel.isLive()).toBe(true)
    expect(await panel.chosen.count()).toBe(0)
  })

  it('exports a recording, and shows it in another page', async () => {
    const { page, panel } = await openAfterRefresh()
    await panel.filter('chart').click()
    const events = await panel.events()
    const counters = await panel.counters()
    const file = await exported(page)
    expect(file.name).toBe('auth-recording.json')
    expect(JSON.parse(file.text)).toMatchObject({ format: 'authchart-recording', version: 1, name: 'auth' })

    const other = await open()
    const there = panelOf(other)
    await there.filter('chart').click()
    await there.load('from-ada.json', file.text)
    await there.banner.filter({ hasText: 'Showing from-ada.json.' }).waitFor()
    await there.lit('authenticated.refreshable').waitFor()
    await expect.poll(there.events).toEqual(events)
    expect(await there.counters()).toEqual(counters)
    expect(await there.lanes()).toEqual(Array(REQUESTS).fill('done: sent held replayed'))
    const [again, first] = [await exported(other), JSON.parse(file.text)]
    expect(JSON.parse(again.text)).toMatchObject({ moments: first.moments, lanes: first.lanes })

    await there.part('[data-event=signedIn]').click()
    await there.lit('authenticating').waitFor()
    await there.live.click()
    await there.lit('anonymous').waitFor()
    await there.load('again.json', again.text)
    await there.lit('authenticated').waitFor()
    await there.button('Back to the session').click()
    await there.lit('anonymous').waitFor()
    expect(await there.banner.isHidden()).toBe(true)
    expect(await there.isLive()).toBe(true)
  })

  it('shows a loaded history', async () => {
    const { page } = await openAfterRefresh()
    const history = await page.evaluate(() => JSON.stringify(plain.auth.history))
    const there = panelOf(await open())
    await there.load('history.json', history)
    await there.lit('authenticated.refreshable').waitFor()
    await there.unfold()
    await there.part('[data-event=refreshed]').waitFor()
    await there.part('[data-event=transition]').filter({ hasText: 'refreshing.gate.closed' }).click()
    await there.lit('refreshing.gate.closed').waitFor()
  })

  it('explains what is wrong with an invalid file, and continues to work', async () => {
    const page = await open()
    const panel = panelOf(page)
    const recording = (rest: object) => JSON.stringify({ format: 'authchart-recording', version: 1, ...rest })
    const wrong: readonly (readonly [text: string, message: string])[] = [
      ['not { JSON', 'is not JSON'],
      ['', 'is not JSON'],
      ['{"name":"authchart","version":"1.0.0"}', 'is not a recording'],
      [recording({ version: 2 }), 'another version'],
      [recording({ moments: [{ at: 1 }], lanes: [] }), 'damaged'],
      [recording({ moments: [], lanes: [{ id: 'one' }] }), 'damaged'],
      [recording({ moments: [{ ...MOMENT, at: 1e300 }], lanes: [] }), 'damaged'],
      [recording({ moments: [{ ...MOMENT, session: {} }], lanes: [] }), 'damaged'],
      ['[{"type":"refreshed","at":1e999,"epoch":1,"generation":1}]', 'damaged'],
      ['[{"type":"transition","at":1,"epoch":1,"generation":1}]', 'damaged'],
      ['[1, null, {"type":"transition"}]', 'damaged'],
    ]
    for (const [index, [text, message]] of wrong.entries()) {
      await panel.load(`${index}.json`, text)
      await panel.banner.filter({ hasText: message }).waitFor()
      expect(await panel.litStates()).toEqual(['anonymous'])
    }
    await signIn(page)
    await panel.lit('authenticated').waitFor()
    await panel.part('[data-event=signedIn]').waitFor()
    expect(await panel.isLive()).toBe(true)
    await panel.load('fine.json', recording({ moments: [MOMENT], lanes: [] }))
    await expect.poll(panel.events).toEqual(['refreshed'])
  })

  it('lists a long history in pages', async () => {
    const panel = panelOf(await open())
    const refreshed = (generation: number) => ({ type: 'refreshed', at: generation, epoch: 1, generation })
    const history = Array.from({ length: 450 }, (_, index) => refreshed(index + 1))
    await panel.load('history.json', JSON.stringify(history))
    const rows = () => panel.part('[data-event]').count()
    await expect.poll(rows).toBe(200)
    await panel.part('[data-event]').first().filter({ hasText: 'generation 450' }).waitFor()
    await panel.button('Older events').click()
    await expect.poll(rows).toBe(400)
    await panel.button('Older events').click()
    await expect.poll(rows).toBe(450)
    expect(await panel.button('Older events').isVisible()).toBe(false)
    await panel.part('[data-event]').last().filter({ hasText: 'generation 1' }).waitFor()
  })

  it('discards past events but keeps open requests when it is cleared', async () => {
    const { page, panel } = await openAfterRefresh()
    const waiting = server().holdApiNext()
    const answer = ask(page, 1)
    await waiting.arrived
    await panel.button('Clear').click()
    await expect.poll(panel.events).toEqual([])
    expect(await panel.lanes()).toEqual(['sent: sent'])
    expect(await panel.slider.isDisabled()).toBe(true)
    await panel.lit('authenticated').waitFor()
    waiting.answer()
    expect(await answer).toEqual([200])
    await panel.part('[data-request][data-stage=done]').waitFor()
    await page.evaluate(() => plain.auth.signOut())
    await panel.part('[data-event=signedOut]').waitFor()
    await panel.lit('loggedOut').waitFor()
  })
})
