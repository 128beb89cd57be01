import { describe, expect, it, onTestFinished } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import * as authchart from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/index.ts'
import { serveJsonApi } from '../support/json-api.ts'
import { namesIn, PAGES, read, snippetsOf, tableUnder } from './readme-source.ts'
import { runSnippet } from './run-snippet.ts'

const README = read('README.md')
const lines = README.trimEnd().split('\n')

describe('the README as a whole', () => {
  it('the README has at most 200 lines, and its first code is within the first 25', () => {
    expect(lines.length).toBeLessThanOrEqual(200)
    const first = lines.findIndex((line) => line.startsWith('```ts'))
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(25)
  })

  it('the pages name only npm scripts that exist', () => {
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/npm run ([a-z][\w:]*)/g)])
    const scripts = new Set(named.map(([, name = '']) => name))
    expect(scripts.size).toBeGreaterThan(5)
    expect([...scripts].filter((name) => !(name in manifest.scripts))).toEqual([])
  })

  it('the table of sizes has a row for each import, and the sizes of two bundlers in each', () => {
    const [, table = ''] = README.split(/<!-- \/?sizes -->/)
    const rows = tableUnder('Sizes', `\n## Sizes\n${table}`)
    expect(rows.map((cells) => namesIn([cells]).at(-1))).toEqual([
      'createAuth',
      'createAuthFetch',
      'webStorage',
      'tabCoordinator',
      'sessionLimits',
    ])
    // `npm run size -- --write` replaces the ellipses.
    for (const cells of rows) {
      expect(cells).toHaveLength(5)
      for (const size of cells.slice(1)) expect(size).toMatch(/^(?:…|\d+\.\d kB)$/)
    }
  })

  it('the table of what can go wrong has eight rows', () => {
    expect(tableUnder('What it takes care of', README)).toHaveLength(8)
  })
})

/** The example with one client: the session of the first snippet, and the client of another. */
const [withFetch, withOfetch, withAxios] = snippetsOf('README.md')
const CLIENTS = [
  ['fetch', withFetch],
  ['ofetch', withOfetch],
  ['axios', withAxios],
] as const

describe('the example of the README', () => {
  it.each(CLIENTS)(
    'the example with %s signs in, refreshes once and receives the end of the session',
    async (client, snippet) => {
      const server = createTokenServer()
      const { url, close } = await serveJsonApi(server)
      onTestFinished(close)

      const { exports, printed } = await runSnippet(withFetch!, url)
      const { auth } = exports
      onTestFinished(() => auth.dispose())
      const me = expect.objectContaining({ path: '/api/me', subject: 'ada', generation: 1 })
      expect(printed).toEqual([[me]])
      if (client !== 'fetch') {
        expect((await runSnippet(snippet!, url, { auth, API: url })).printed).toEqual([[me]])
      }

      // Several clients at once with an expired token, like in an app.
      server.expireAccessTokens()
      const again = () => runSnippet(snippet!, url, { auth, API: url })
      const send = client === 'fetch' ? () => sendByFetch(auth, url) : again
      await Promise.all([send(), send(), send()])
      expect(server.refreshes).toBe(1)
      const answered = server.log.filter(({ path, status }) => path === '/api/me' && status === 200)
      expect(answered).toHaveLength(client === 'fetch' ? 4 : 5)

      server.killRefreshTokens()
      server.expireAccessTokens()
      await expect(send()).rejects.toThrow(authchart.SessionExpiredError)
      expect(printed.slice(1)).toEqual([['Sign in again:', 'invalid_grant']])
    },
  )
})

/** The last three lines of the example: the rest would create another session. */
function sendByFetch(auth: authchart.Auth, url: string) {
  const lines = withFetch!.code.trimEnd().split('\n').slice(-3)
  expect(lines[0]).toContain('createAuthFetch(auth')
  const code = ["import { createAuthFetch } from 'authchart/fetch'", ...lines].join('\n')
  return runSnippet({ code }, url, { auth, API: url })
}
