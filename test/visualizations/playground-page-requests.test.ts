import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import {
  answersOf,
  laterAnswersOf,
  playgroundSuite,
  refreshing,
  refreshRequestsOf,
  TEST_TIME,
  TRANSPORTS,
} from './playground-page.ts'

const NONE = { requests: 0, inFlight: 0, held: 0, replayed: 0, done: 0, rejected: 0 }

describe.skipIf(!hasChromium)('the requests of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('show the named user and the lifetime of the token after a sign-in', async () => {
    await using tab = await open()
    const { page, panel, server } = tab
    const lights = await tab.lights()
    const entry = server.holdNext()
    await page.getByLabel('User name').fill('grace')
    await tab.press('sign-in')
    await entry.arrived
    await panel.lit('authenticating').waitFor()
    expect(await panel.litStates()).toEqual(['authenticating'])
    await tab.statusIs('Sign in …')

    entry.answer()
    await tab.statusIs('Signed in as grace.')
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    expect(await tab.subject()).toBe('grace')
    expect(await panel.part('.scopes li').allTextContents()).toEqual(['books:read', 'books:write'])
    await tab.fact('Generation', '1')
    await tab.fact('Requests held', '0')
    const card = await panel.part('.card.session').textContent()
    const [, life, refresh] = /expires in([\d.]+) sRefreshes in([\d.]+) s/.exec(card ?? '') ?? []
    expect(Number(life)).toBeLessThanOrEqual(50)
    expect(Number(life) - Number(refresh)).toBeCloseTo(10, 0)
    expect(await lights()).toEqual([
      ...['authenticating', '* -> authenticating'],
      ...['authenticated', 'authenticated.refreshable', 'authenticating -> authenticated'],
    ])
    await tab.event('signedIn').waitFor()
    expect(server.log.map(({ path, status }) => `${path} ${status}`)).toEqual(['/session 200'])
  })

  it('are sent by each client with the token', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const paths = ['/api/books', '/api/authors', '/api/shelves/7']
    for (const [index, transport] of TRANSPORTS.entries()) {
      await tab.choose(transport)
      await tab.pressAndWait('request', `GET ${paths[index]}: 1 of 1 answered.`)
      await tab.counted('done', index + 1)
    }
    expect(await panel.counters()).toEqual({ ...NONE, requests: 3, done: 3 })
    expect(await panel.lanes()).toEqual(Array(3).fill('done: sent'))
    expect(answersOf(server)).toEqual(Array(3).fill('200 1 ada'))
    expect(await panel.part('[data-request] .lane-name').allTextContents()).toEqual(
      paths.map((path) => `GET ${path}`).reverse(),
    )
  })

  it('are sent without a token before a sign-in, and their failures are counted', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.pressAndWait('burst', '0 of 100 answered. 100 failed: status 401.')
    await tab.counted('done', 100)
    expect(await panel.litStates()).toEqual(['anonymous'])
    expect(await panel.counters()).toEqual({ ...NONE, requests: 100, done: 100 })
    expect(new Set(answersOf(server))).toEqual(new Set(['401  ']))
  })

  it('share one refresh if a hundred of them get a 401', async () => {
    await using tab = await open()
    const { server, panel } = tab
    await tab.signIn()
    await tab.choose('axios')
    await tab.expire()
    const lights = await tab.lights()
    const refresh = await tab.holdBurst()
    expect(await panel.litStates()).toEqual(refreshing('requesting', 'closed'))
    expect(await panel.counters()).toEqual({ ...NONE, requests: 100, held: 100 })
    expect(new Set(await panel.lanes())).toEqual(new Set(['held: sent held']))
    await tab.fact('Requests held', '100')
    expect(laterAnswersOf(server)).toEqual([])

    refresh.answer()
    await tab.statusIs('100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await panel.counters()).toEqual({ ...NONE, requests: 100, replayed: 100, done: 100 })
    expect(new Set(await panel.lanes())).toEqual(new Set(['done: sent held replayed']))
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'authenticated.refreshable -> refreshing.gate.closed',
        'refreshing.attempt.requesting -> authenticated',
      ]),
    )
    await tab.fact('Generation', '2')
    expect(await panel.events()).toEqual(
      expect.arrayContaining(['requestHeld', 'refreshed', 'requestReplayed']),
    )
    expect(refreshRequestsOf(server)).toBe(1)
    expect(answersOf(server)).toContain('401 1 ada')
    expect(laterAnswersOf(server)).toEqual(Array(100).fill('200 2 ada'))
    expect(server.reuseDetections).toBe(0)
  })

  it('use the old token during a refresh on demand', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const lights = await tab.lights()
    const refresh = server.holdNext()
    await tab.press('refresh')
    await refresh.arrived
    await panel.lit('refreshing.gate.open').waitFor()
    expect(await panel.litStates()).toEqual(refreshing('requesting', 'open'))
    await tab.pressAndWait('burst', '100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await panel.counters()).toEqual({ ...NONE, requests: 100, done: 100 })
    expect(answersOf(server)).toEqual(Array(100).fill('200 1 ada'))

    refresh.answer()
    await tab.statusIs('Token 2 received.')
    await panel.lit('authenticated.refreshable').waitFor()
    await tab.fact('Generation', '2')
    await tab.event('refreshed').waitFor()
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'authenticated.refreshable -> refreshing',
        'refreshing.attempt.requesting -> authenticated',
      ]),
    )
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(answersOf(server).at(-1)).toBe('200 2 ada')
    expect([refreshRequestsOf(server), server.refreshes]).toEqual([1, 1])
  })

  it('are listed by the hundred, with only the visible rows in the page', async () => {
    await using tab = await open()
    const { panel, server } = tab
    const entry = server.holdNext()
    await tab.press('sign-in')
    await entry.arrived
    for (let burst = 0; burst < 3; burst++) await tab.press('burst')
    await tab.counted('held', 300)
    expect(await panel.counters()).toEqual({ ...NONE, requests: 300, held: 300 })
    const rows = panel.part('[data-request]')
    expect(await rows.count()).toBeLessThan(60)
    const newest = rows.and(panel.part('[aria-posinset="1"][aria-setsize="300"]'))
    await newest.filter({ hasText: 'GET /api/books/100' }).waitFor()

    await panel.part('.rows-place').focus()
    await tab.page.keyboard.press('End')
    const oldest = rows.and(panel.part('[aria-posinset="300"][aria-setsize="300"]'))
    await oldest
      .and(panel.part('[data-stage=held]'))
      .filter({ hasText: /^GET \/api\/books\/1held/ })
      .waitFor()
    expect(await rows.count()).toBeLessThan(60)
    expect(server.log).toHaveLength(1)

    entry.answer()
    await tab.counted('done', 300)
    expect(await panel.counters()).toEqual({ ...NONE, requests: 300, done: 300 })
    await oldest.and(panel.part('[data-stage=done][data-phases="held sent"]')).waitFor()
    expect(await rows.count()).toBeLessThan(60)
    expect(answersOf(server).filter((answer) => answer.startsWith('200'))).toHaveLength(300)
  })
})
