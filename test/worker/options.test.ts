import axios from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
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
  ] as const)('says that %s belongs in the worker', (name, option) => {
    const { auth, page } = start()
    const message = new RegExp(`Give ${name} to serveAuth, in the worker`)
    expect(() => createAuthFetch(page, { origins, ...option } as never)).toThrow(message)
    expect(() => createAuthOfetch(page, { origins, ...option } as never)).toThrow(message)
    const instance = axios.create()
    expect(() => attachAuth(instance, page, { origins, ...option } as never)).toThrow(message)
    for (const create of [createAuthFetch, createAuthOfetch])
      expect(() => create(auth, { origins, ...option } as never)).not.toThrow()
  })

  it('sends what is none of the session’s business by itself', async () => {
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

  it('cannot be one of the app’s own', () => {
    const { page } = start()
    const request = { send: async () => 1, challenge: () => undefined, replayable: true, key: () => 'GET /' }
    expect(() => bearerRequest(page, request)).toThrow(/lives in a worker, where bearerRequest cannot/)
  })

  it('shows nothing of how it sends where it is printed', () => {
    const { page } = start()
    expect(Object.keys(page)).not.toContain('fetch')
    expect(() => JSON.stringify({ ...page, actor: undefined })).not.toThrow()
    expect(Object.getOwnPropertySymbols({ ...page })).not.toContainEqual(
      expect.objectContaining({ description: 'authchart.gate' }),
    )
  })
})

describe('options', () => {
  it.each([
    ['timeout', 0],
    ['timeout', Number.NaN],
    ['timeout', '10'],
    ['historyLimit', -1],
  ])('of connectAuth are refused by name: %s %s', (name, value) => {
    const { port1 } = new MessageChannel()
    expect(() => connectAuth(port1, { [name]: value })).toThrow(
      new RegExp(`connectAuth: ${name} must be a number`),
    )
    port1.close()
  })

  it('of connectAuth begin with a worker', () => {
    expect(() => connectAuth(undefined as never)).toThrow(/connectAuth: there is no worker/)
  })

  it('of serveAuth must lead to a page, and to an origin', () => {
    const { auth } = start()
    expect(() => serveAuth(auth, { origins })).toThrow(
      /no SharedWorker and no dedicated worker. Give it a port/,
    )
    const { port1 } = new MessageChannel()
    expect(() => serveAuth(auth, { port: port1 })).toThrow(/no origin to send tokens to/)
    port1.close()
  })
})
