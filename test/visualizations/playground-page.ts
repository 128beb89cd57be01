/** The playground in a Chromium, as its user finds it. */
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
 * At the pace of the playground a hundred requests take some seconds, and a token lives for twenty: on a machine that is busy, tokens
 * would die on the way. How long the API takes is tested by itself.
 */
const api: TokenServerRoute = {
  handler: (_, { subject, generation }) => Response.json({ subject, generation }),
}

/** So long that no token has to be renewed by itself in a test, and less than the device sleeps, in milliseconds. */
const LIFETIME = 50_000

/** How long something is waited for, in milliseconds: less than a test has. */
const PATIENCE = 20_000

/** What a test has, in milliseconds. */
export const TEST_TIME = 60_000

/** Chromium itself tells of every answer that is a failure; these are the ones that the playground is about. */
const BREAKAGE = /^Failed to load resource: (the server responded with a status of (400|401|500) |net::ERR_)/

/** Serves the page anew for each test, to a fresh profile; a page that has complained fails its test. */
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

  /** Opens the page. What is returned ends with the block it is used in. */
  async function open(screen: BrowserContextOptions = {}) {
    const { url, server, close } = await servePlayground(files, { api, accessTokenLifetime: LIFETIME })
    // What is to last is held.
    server.tokenDelay = 0
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...screen })
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
    const tab = tabOf(page)
    return {
      ...tab,
      context,
      server,
      /** A hundred requests wait for a refresh, which the server has before it. */
      async holdBurst() {
        const renewal = server.holdNext()
        await tab.press('burst')
        await renewal.arrived
        await tab.counted('held', 100)
        return renewal
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

/** A tab with the page in it. */
export function tabOf(page: Page) {
  const panel = panelOf(page)
  const button = (action: string) => page.locator(`#controls [data-action="${action}"]`)
  const told = (words: string | RegExp) =>
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
    /** Waits for the status line to say so. */
    told,
    /** Waits until the server was told of what was pressed. */
    async pressAndHear(action: string, words: string | RegExp) {
      await press(action)
      await told(words)
    },
    /** The server takes the present access token no more. */
    async expire() {
      await press('expire-access-token')
      await told('The server takes no access token issued until now.')
    },
    async signIn() {
      await press('sign-in')
      await told('Signed in as ada.')
      await panel.lit('authenticated.renewable').waitFor()
    },
    choose: (transport: string) => page.getByRole('radio', { name: transport, exact: true }).check(),
    /** Waits for a counter to come to a number. */
    counted: (counter: string, count: number) =>
      panel
        .part(`[data-counter="${counter}"]`)
        .filter({ hasText: exactly(String(count)) })
        .waitFor(),
    /** Waits for a fact of the session to be this. */
    fact: (name: string, text: string | RegExp) =>
      panel
        .part(`[data-fact="${name}"] dd`)
        .filter({ hasText: typeof text === 'string' ? exactly(text) : text })
        .waitFor(),
    subject: () => panel.part('.subject').textContent(),
    /** A row of the log that tells of a state that was entered. */
    entry: (state: string) =>
      panel.part('[data-event=transition]').filter({
        has: page.locator('.details', { hasText: new RegExp(`→ ${state.replaceAll('.', '\\.')}$`) }),
      }),
    /** Rows of the log, by what they tell of. */
    event: (type: string) => panel.part(`[data-event="${type}"]`),
    /** Notes from now on which states and transitions light up; gives those that have by then. */
    async lights() {
      // One that is lit still would not light up.
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

/** What became of the requests that reached the API, as `status: generation of the token, of whom`. */
export const answersOf = ({ log }: TokenServer) =>
  log
    .filter(({ path }) => path.startsWith('/api/'))
    .map(({ status, generation, authorization }) => [status, generation, subjectOf(authorization)].join(' '))

const subjectOf = (authorization = '') => {
  const [, claims] = authorization.split('.')
  return claims && JSON.parse(Buffer.from(claims, 'base64url').toString()).sub
}

/**
 * The same without those to the first token, which had died: how many requests with it get as far as the server before they are
 * called back is a matter of chance.
 */
export const laterAnswersOf = (server: TokenServer) =>
  answersOf(server).filter((answer) => !/^(0|401) 1 ada$/.test(answer))

/** How many refreshes were asked for. Those that the playground itself fails are not among them. */
export const exchangesOf = ({ log }: TokenServer) =>
  log.filter(({ bodyText }) => bodyText.includes('grant_type=refresh_token')).length

/** States that are lit while a refresh is under way. */
export const refreshing = (exchange: string, gate: string) => [
  'refreshing',
  'refreshing.exchange',
  'refreshing.gate',
  'refreshing.limits',
  `refreshing.exchange.${exchange}`,
  `refreshing.gate.${gate}`,
  'refreshing.limits.watched',
]

/** What of a session is in the store, which tabs share. */
export const storedIn = (page: Page) => page.evaluate(() => localStorage.getItem('playground.session'))

export const TRANSPORTS = ['fetch', 'ofetch', 'axios'] as const

export type Tab = ReturnType<typeof tabOf>
