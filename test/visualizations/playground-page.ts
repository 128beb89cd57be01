/** A harness for tests of the playground in Chromium. */
import type { TokenServer, TokenServerRoute } from 'authchart/testing'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { PlaygroundHandle } from '../../visualizations/playground/page/main.ts'
import { buildPage, type PageFiles } from '../../visualizations/playground/server/build-page.ts'
import { servePlayground } from '../../visualizations/playground/server/start.ts'
import { panelOf } from '../devtools/panel.ts'
import { launchChromium } from '../support/chromium.ts'

declare global {
  var playground: PlaygroundHandle
}

/**
 * An API without latency. With that of the playground, a hundred requests take some seconds, and on a busy machine tokens would
 * expire meanwhile. The latency has tests of its own.
 */
const api: TokenServerRoute = {
  handler: (_, { subject, generation }) => Response.json({ subject, generation }),
}

/** The lifetime of tokens, in milliseconds: too long for a scheduled refresh in a test, shorter than the sleep of the device. */
const LIFETIME = 50_000

/** The timeout of waits, in milliseconds. Less than the timeout of a test. */
const PATIENCE = 20_000

/** The timeout of a test, in milliseconds. */
export const TEST_TIME = 60_000

/** The failed requests that the playground causes on purpose. Chromium logs them. */
const BREAKAGE = /^Failed to load resource: (the server responded with a status of (400|401|500) |net::ERR_)/

/** Serves the page for each test, to a new profile. A warning or an error of the page fails the test. */
export function playgroundSuite() {
  let browser: Browser
  let files: PageFiles
  const problems: string[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    files = await buildPage()
  }, 60_000)
  afterAll(() => browser?.close())
  afterEach(() => expect(problems.splice(0)).toEqual([]))

  /** Opens the page. Use the result with `await using`, which closes it. */
  async function open(screen: BrowserContextOptions = {}, { openid = false } = {}) {
    const { url, server, close } = await servePlayground(files, {
      api,
      accessTokenLifetime: LIFETIME,
      openid,
    })
    // Tests hold the answers that they want to delay.
    server.tokenDelay = 0
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...screen,
    })
    context.setDefaultTimeout(PATIENCE)
    context.on('weberror', (thrown) => {
      const { stack, message } = thrown.error()
      problems.push(stack ?? message)
    })
    context.on('console', (line) => {
      if (/warning|error/.test(line.type()) && !BREAKAGE.test(line.text())) problems.push(line.text())
    })
    const page = await context.newPage()
    await page.goto(url)
    await panelOf(page).lit('anonymous').waitFor()
    await panelOf(page).unfold()
    const tab = tabOf(page)
    return {
      ...tab,
      context,
      server,
      /** Sends a hundred requests that wait for a refresh. Returns the refresh, which the server holds. */
      async holdBurst() {
        const refresh = server.holdNext()
        await tab.press('burst')
        await refresh.arrived
        await tab.counted('held', 100)
        return refresh
      },
      async [Symbol.asyncDispose]() {
        await context.close()
        await close()
      },
    }
  }

  return { open }
}

const exactly = (text: string) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)

/** Returns locators and actions for a tab with the page. */
export function tabOf(page: Page) {
  const panel = panelOf(page)
  const button = (action: string) => page.locator(`#controls [data-action="${action}"]`)
  const statusIs = (words: string | RegExp) =>
    page
      .locator('#status')
      .filter({ hasText: typeof words === 'string' ? exactly(words) : words })
      .waitFor()
  const press = (action: string) => button(action).click()

  return {
    page,
    panel,
    button,
    press,
    /** Waits for a text of the status line. */
    statusIs,
    /** Presses a button, and waits for a text of the status line. */
    async pressAndWait(action: string, words: string | RegExp) {
      await press(action)
      await statusIs(words)
    },
    /** Expires the current access token on the server. */
    async expire() {
      await press('expire-access-token')
      await statusIs('The server rejects all access tokens issued until now.')
    },
    async signIn() {
      await press('sign-in')
      await statusIs('Signed in as ada.')
      await panel.lit('authenticated.refreshable').waitFor()
    },
    choose: (transport: string) => page.getByRole('radio', { name: transport, exact: true }).check(),
    /** Waits until a counter has a value. */
    counted: (counter: string, count: number) =>
      panel
        .part(`[data-counter="${counter}"]`)
        .filter({ hasText: exactly(String(count)) })
        .waitFor(),
    /** Waits until a fact of the session has a value. */
    fact: (name: string, text: string | RegExp) =>
      panel
        .part(`[data-fact="${name}"] dd`)
        .filter({ hasText: typeof text === 'string' ? exactly(text) : text })
        .waitFor(),
    subject: () => panel.part('.subject').textContent(),
    /** The row of the log for a transition to a state. */
    entry: (state: string) =>
      panel.part('[data-event=transition]').filter({
        has: page.locator('.details', { hasText: new RegExp(`→ ${state.replaceAll('.', '\\.')}$`) }),
      }),
    /** The rows of the log with a type of event. */
    event: (type: string) => panel.part(`[data-event="${type}"]`),
    /** Records which states and transitions light up from now on. Returns a function that lists them. */
    async lights() {
      // An arrow that is still lit would not light up again.
      await panel.part('.edge[data-active]').first().waitFor({ state: 'detached' })
      const seen = await page.evaluateHandle(() => {
        const lit = new Set<string>()
        const watch = new MutationObserver((changes) => {
          for (const { target } of changes) {
            const { state, transition } = (target as SVGElement).dataset
            const name = state ?? transition
            if (name !== undefined && (target as SVGElement).hasAttribute('data-active')) lit.add(name)
          }
        })
        const root = document.querySelector('authchart-devtools')?.shadowRoot
        if (!root) throw new Error('There is no panel.')
        watch.observe(root, { subtree: true, attributes: true, attributeFilter: ['data-active'] })
        return lit
      })
      return () => seen.evaluate((lit) => [...lit])
    },
  }
}

/** The requests that reached the API, as texts: `status generation subject`. */
export const answersOf = ({ log }: TokenServer) =>
  log
    .filter(({ path }) => path.startsWith('/api/'))
    .map(({ status, generation, authorization }) => [status, generation, subjectOf(authorization)].join(' '))

const subjectOf = (authorization = '') => {
  const [, claims] = authorization.split('.')
  return claims && JSON.parse(Buffer.from(claims, 'base64url').toString()).sub
}

/**
 * The same without requests that carry the first token, which has expired: how many of them reach the server before they are
 * aborted is random.
 */
export const laterAnswersOf = (server: TokenServer) =>
  answersOf(server).filter((answer) => !/^(0|401) 1 ada$/.test(answer))

/** The number of refresh requests. Those that the playground fails on purpose are not counted. */
export const refreshRequestsOf = ({ log }: TokenServer) =>
  log.filter(({ bodyText }) => bodyText.includes('grant_type=refresh_token')).length

/** The states that are lit during a refresh. */
export const refreshing = (attempt: string, gate: string) => [
  'refreshing',
  'refreshing.attempt',
  'refreshing.gate',
  `refreshing.attempt.${attempt}`,
  `refreshing.gate.${gate}`,
]

/** The stored session, which tabs share. */
export const storedIn = (page: Page) => page.evaluate(() => localStorage.getItem('playground.session'))

export const TRANSPORTS = ['fetch', 'ofetch', 'axios'] as const

export type Tab = ReturnType<typeof tabOf>
