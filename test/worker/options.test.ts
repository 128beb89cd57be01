import axios from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { REQUEST_GATE } from '../../src/core/auth.ts'
import { bearerRequest, createAuth } from '../../src/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { connected } from './in-process.ts'

const origins = ['https://api.example.com']

function start() {
  const auth = createAuth({ refresh: () => ({ access_token: 'b' }) })
  onTestFinished(() => auth.dispose())
  return { auth, page: connected(auth, { origins }) }
}

describe('a transport on a page whose session is in a worker', () => {
  it.each([
    ['isChallenge', { isChallenge: () => false }],
    ['bufferStreams', { bufferStreams: true }],
    ['abortInFlight', { abortInFlight: 'safe' }],
  ] as const)('rejects the option %s, which must be set in the worker', (name, option) => {
    const { auth, page } = start()
    const message = new RegExp(`Give ${name} to serveAuth, in the worker`)
    expect(() => createAuthFetch(page, { origins, ...option } as never)).toThrow(message)
    expect(() => createAuthOfetch(page, { origins, ...option } as never)).toThrow(message)
    const instance = axios.create()
    expect(() => attachAuth(instance, page, { origins, ...option } as never)).toThrow(message)
    for (const create of [createAuthFetch, createAuthOfetch])
      expect(() => create(auth, { origins, ...option } as never)).not.toThrow()
  })

  it('sends excluded requests itself, without the worker', async () => {
    const { page } = start()
    const fetch = vi.fn(async () => new Response('mine'))
    const api = createAuthFetch(page, { origins, fetch, exclude: (url) => url.endsWith('/excluded') })
    for (const send of [
      () => api('https://elsewhere.example.com/'),
      () => api('https://api.example.com/excluded'),
      () => api('https://api.example.com/own', { headers: { authorization: 'Basic own' } }),
    ])
      expect(await (await send()).text()).toBe('mine')
    expect(fetch).toHaveBeenCalledTimes(3)
  })

  it('cannot be a custom transport that uses bearerRequest', () => {
    const { page } = start()
    const request = { send: async () => 1, challenge: () => undefined, replayable: true, key: () => 'GET /' }
    expect(() => bearerRequest(page, request)).toThrow(
      /bearerRequest cannot be used with a session in a worker/,
    )
  })

  it('hides its internal members when the auth is printed', () => {
    const { page } = start()
    expect(Object.keys(page)).not.toContain('fetch')
    expect(() => JSON.stringify({ ...page, actor: undefined })).not.toThrow()
    expect(Object.getOwnPropertySymbols({ ...page })).not.toContainEqual(REQUEST_GATE)
  })
})

describe('the options of a session in a worker', () => {
  it.each([
    ['timeout', 0],
    ['timeout', Number.NaN],
    ['timeout', '10'],
    ['historyLimit', -1],
  ])('include %s of connectAuth, which rejects %s', (name, value) => {
    const { port1 } = new MessageChannel()
    expect(() => connectAuth(port1, { [name]: value })).toThrow(
      new RegExp(`connectAuth: ${name} must be a number`),
    )
    port1.close()
  })

  it('do not replace the worker argument of connectAuth', () => {
    expect(() => connectAuth(undefined as never)).toThrow(/connectAuth: the worker is missing/)
  })

  it('of serveAuth must define a port outside of a worker, and an origin', () => {
    const { auth } = start()
    expect(() => serveAuth(auth, { origins })).toThrow(
      /outside of a SharedWorker or dedicated worker. Set the option port/,
    )
    const { port1 } = new MessageChannel()
    expect(() => serveAuth(auth, { port: port1 })).toThrow(/no origin to send tokens to/)
    port1.close()
  })
})
