import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ListeningTokenServer } from 'authchart/testing'
import { build, type Plugin } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { model, server } from '../../examples/testing/app.model.ts'
import { model as tabsAndTime } from '../../examples/testing/tabs-and-time.model.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'

const root = new URL('../../', import.meta.url).pathname
const example = `${root}examples/testing/`
const docs = readFileSync(`${root}docs/guides/testing.md`, 'utf8')

/** The longest wait for an element, in milliseconds: shorter than a test's timeout, so that a failure can show its path. */
const PATIENCE = 5_000

/** Bundles the app. Replaces `right` by `wrong` in it, if they are given. */
async function bundle(api: string, [right, wrong]: readonly [string, string] = ['', '']): Promise<string> {
  const mistake: Plugin = {
    name: 'mistake',
    setup: ({ onLoad }) =>
      onLoad({ filter: /examples\/testing\/app\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        if (!source.includes(right)) throw new Error(`The app has no ${right}`)
        return { contents: source.replaceAll(right, wrong), loader: 'ts' }
      }),
  }
  const { outputFiles } = await build({
    entryPoints: [`${example}app.ts`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    define: { API_URL: JSON.stringify(api) },
    plugins: right ? [mistake] : [],
  })
  return outputFiles[0]?.text ?? ''
}

describe.skipIf(!hasChromium)('the example of docs/guides/testing.md, in Chromium', () => {
  let api: ListeningTokenServer
  let pages: Server
  let browser: Browser
  let script: string
  let origin: string

  beforeAll(async () => {
    api = await server.listen()
    script = await bundle(api.url)
    const html = readFileSync(`${example}index.html`)
    pages = createServer(({ url }, response) => {
      if (url === '/app.js') response.setHeader('content-type', 'text/javascript').end(script)
      else response.setHeader('content-type', 'text/html').end(html)
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
    browser = await launchChromium()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    pages?.closeAllConnections()
    pages?.close()
    await api?.close()
  })

  /** Opens the app in a new browser profile. */
  async function open(prepare: (page: Page) => unknown = () => {}) {
    const context = await browser.newContext()
    context.setDefaultTimeout(PATIENCE)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', ({ message }) => problems.push(message))
    await prepare(page)
    await page.goto(origin)
    return {
      page,
      async [Symbol.asyncDispose]() {
        await context.close()
        expect(problems).toEqual([])
      },
    }
  }

  const titled = (paths: ReturnType<typeof model.shortestPaths>) =>
    paths.map((path) => [path.description, path] as const)

  describe('the model of one tab', () => {
    it.each(titled(model.shortestPaths()))('%s', async (_, path) => {
      await using app = await open()
      await path.test(app.page)
    })

    it('the paths cover every state for which the app has a text', () => {
      expect(model.coverage.states.covered).toEqual(
        expect.arrayContaining(['anonymous', 'authenticated', 'refreshing', 'expired', 'loggedOut']),
      )
      expect(model.coverage.paths).toBe(model.shortestPaths().length)
    })

    it('the paths have the coverage that docs/guides/testing.md shows', () => {
      const [, sample = ''] = /```text\n(state [\s\S]*?)```/.exec(docs) ?? []
      const lines = sample.trimEnd().split('\n')
      expect(lines.length).toBeGreaterThan(5)
      expect(model.coverage.table().split('\n')).toEqual(expect.arrayContaining(lines))
    })
  })

  describe('the model of two tabs and time', () => {
    it.each(titled(tabsAndTime.shortestPaths()))('%s', async (_, path) => {
      await using app = await open((page) => page.clock.install())
      await path.test(app.page)
    })
  })

  // Concurrent, because each waits until its timeout.
  it.concurrent.each([
    [
      'has a button that does not sign out',
      ['auth.signOut()', '{}'],
      'signIn signOut signIn',
      [
        '✓ the user signs in → authenticated.refreshable',
        '✗ the user signs out → loggedOut',
        '  the user signs in',
      ],
    ],
    [
      'does not say that the session has ended',
      ['Your session has ended, sign in again', 'Nobody is signed in'],
      'signIn accessTokenDies refreshTokenDies request signIn',
      ['✓ the refresh token is revoked → authenticated.refreshable', '✗ a request is sent → expired'],
    ],
    [
      'sends its requests past the session',
      ['await api(', 'await fetch('],
      'signIn request',
      ['✓ the user signs in → authenticated.refreshable', '✗ a request is sent → authenticated.refreshable'],
    ],
  ] as const)('the model finds an app that %s, and shows the path', async (_, change, events, expected) => {
    const path = model.shortestPaths().find((path) => path.events.join(' ') === events)
    const body = await bundle(api.url, change)
    await using app = await open((page) =>
      page.route('**/app.js', (route) => route.fulfill({ contentType: 'text/javascript', body })),
    )
    const failure = await path?.test(app.page).catch(({ message }: Error) => message)
    expect(failure).toContain(expected.map((line) => `  ${line}`).join('\n'))
    if (change[1] === '{}') expect(docs).toContain(failure?.slice(failure.indexOf('The path:')))
  })
})

it('the model of the example has fewer than 30 lines, with its drivers and assertions', () => {
  const lines = readFileSync(`${example}app.model.ts`, 'utf8').split('\n')
  expect(lines.filter((line) => line.trim() !== '').length).toBeLessThan(30)
})
