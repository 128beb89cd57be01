import { describe, expect, it, onTestFinished } from 'vitest'
import * as authchart from '../../src/index.ts'
import { createTokenServer, type TokenServer } from '../../src/testing/index.ts'
import { serveJsonApi } from '../support/json-api.ts'
import { snippetsOf } from './readme-source.ts'
import { runSnippet } from './run-snippet.ts'

describe('docs/start/quick-start.md', () => {
  const snippets = snippetsOf('docs/start/quick-start.md')
  const under = (heading: string) => snippets.find((snippet) => snippet.heading === heading)!
  const me = expect.objectContaining({ path: '/api/me', subject: 'ada', generation: 1 })

  it.each([
    ['Quick start', serveJsonApi],
    ['An OAuth token endpoint', (server: TokenServer) => server.listen()],
  ] as const)('%s: signs in, refreshes once and receives the end of the session', async (heading, serve) => {
    const server = createTokenServer()
    const { url, close } = await serve(server)
    onTestFinished(close)
    const { exports, printed } = await runSnippet(under(heading), url)
    const { auth, api } = exports
    onTestFinished(() => auth.dispose())
    expect(printed).toEqual([[me]])

    // Several requests at once with an expired token, like in an app.
    server.expireAccessTokens()
    await Promise.all([1, 2, 3].map(() => api(`${url}/api/me`)))
    expect(server.refreshes).toBe(1)
    expect(server.log.filter(({ path, status }) => path === '/api/me' && status === 200)).toHaveLength(4)

    server.killRefreshTokens()
    server.expireAccessTokens()
    await expect(api(`${url}/api/me`)).rejects.toThrow(authchart.SessionExpiredError)
    expect(printed.slice(1)).toEqual([['Sign in again:', 'invalid_grant']])
  })

  it.each(['ofetch', 'axios'])('%s: sends the token, and shares the refresh', async (heading) => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const { exports } = await runSnippet(under('Quick start'), url)
    const { auth } = exports
    onTestFinished(() => auth.dispose())
    const send = () => runSnippet(under(heading), url, { auth, API: url })
    expect((await send()).printed).toEqual([[me]])
    server.expireAccessTokens()
    await Promise.all([send(), send(), send()])
    expect(server.refreshes).toBe(1)
  })

  it('Quick start: a sign-out revokes the tokens at the server', async () => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const { auth } = (await runSnippet(under('Quick start'), url)).exports
    onTestFinished(() => auth.dispose())
    await auth.signOut()
    expect(server.revocations).toBe(1)
  })
})
