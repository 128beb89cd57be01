import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTokenServer, type ListeningTokenServer, type TokenServer } from '../../src/testing/index.ts'
import { hasBrowser } from '../support/browsers/engine.ts'
import type { Backend } from './angular-page.ts'
import { openPages } from './page-suite.ts'
import { bundlePage } from './vite-bundles.ts'

type Scenarios = typeof import('./angular-page.ts').scenarios
type Options =
  Parameters<Scenarios['parallel']> extends [unknown, unknown, unknown, ...infer More] ? More : never

const BACKENDS: Backend[] = ['XMLHttpRequest', 'fetch']

describe.skipIf(!hasBrowser).each(BACKENDS)('HttpClient over %s in a browser', (backend) => {
  let server: TokenServer
  let listening: ListeningTokenServer
  beforeEach(async () => {
    server = createTokenServer()
    listening = await server.listen()
  })
  afterEach(() => listening.close())

  const { run: call } = openPages<Scenarios>(() => bundlePage('angular-page.ts', []))

  /** Runs a scenario with an expired access token. */
  const run = <Name extends keyof Scenarios>(name: Name, ...more: Options | []) => {
    const tokens = server.issue()
    server.expireAccessTokens()
    return call(name, ...([backend, listening.url, tokens, ...more] as Parameters<Scenarios[Name]>))
  }

  it('recovers from parallel 401s with one refresh', async () => {
    expect(await run('parallel', 20)).toEqual(Array(20).fill(200))
    expect(server.refreshes).toBe(1)
  })

  it('replays a form byte for byte', async () => {
    expect(await run('form')).toBe(200)
    const sent = server.log.filter(({ path, method }) => path === '/api/form' && method === 'POST')
    expect(sent.map(({ status }) => status)).toEqual([401, 200])
    expect(sent[1]?.bodyBytes).toEqual(sent[0]?.bodyBytes)
    expect(sent[1]?.headers['content-type']).toBe(sent[0]?.headers['content-type'])
    expect(sent[0]?.bodyText).toContain(sent[0]?.headers['content-type']?.split('boundary=')[1])
  })

  it('reports the progress of both uploads, and the final response', async () => {
    const upload = backend === 'fetch' ? [] : ['UploadProgress']
    expect(await run('events')).toEqual(['Sent', ...upload, 'ResponseHeader', 'DownloadProgress', 'Response'])
  })

  it('drops only the held request whose caller unsubscribes', async () => {
    const refresh = server.holdNext()
    const left = run('leave')
    await refresh.arrived
    refresh.answer()
    expect(await left).toEqual({ stateThen: 'refreshing', status: 200 })
    expect(server.log.filter(({ path, status }) => path === '/api/leaves' && status === 200)).toEqual([])
  })

  it('subtracts the wait for a token from the timeout of the request', async () => {
    server.hangNext(1)
    expect(await run('timeout')).toEqual([0, 'TimeoutError'])
    expect(server.log.filter(({ path, status }) => path === '/api/late' && status === 200)).toEqual([])
  })

  it('sends the token to the page itself', async () => {
    const tokens = server.issue()
    const own = await call('origins', backend, listening.url, tokens)
    expect(own).toBe(`Bearer ${tokens.access_token}`)
  })

  it('sends a request to the address that was judged, although a base element comes while it waits', async () => {
    const refresh = server.holdNext()
    const own = run('base')
    await refresh.arrived
    refresh.answer()
    expect(await own).toMatch(/^Bearer at-/)
    expect(server.log.filter(({ path }) => path === '/headers')).toEqual([])
  })
})
