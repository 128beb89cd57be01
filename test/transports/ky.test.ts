import ky from 'ky'
import { describe, expect, test } from 'vitest'
import { SessionExpiredError } from '../../src/index.ts'
import { authKy } from '../../src/transports/ky.ts'
import { setUp, times } from '../conformance/harness.ts'
import { startOrigin } from './support.ts'

async function start() {
  const harness = await setUp()
  const auth = await harness.signedIn()
  const api = ky.extend(authKy(auth, { origins: [harness.url] }))
  const expire = async () => {
    harness.server.expireAccessTokens()
    harness.server.killRefreshTokens()
    await api.get(`${harness.url}/api/me`).catch(() => {})
  }
  return { ...harness, auth, api, expire }
}

describe('ky', () => {
  test('twenty requests at once with a rejected token cause one refresh', async () => {
    const { api, url, server } = await start()
    server.expireAccessTokens()

    const answers = await Promise.all(times(20, (n) => api.post(`${url}/api/echo`, { json: { n } })))

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(server.refreshes).toBe(1)
  })

  test('an ended session reaches the caller in one try, without a wait', async () => {
    const { api, url, expire } = await start()
    await expire()
    const begin = performance.now()

    await expect(api.get(`${url}/api/me`)).rejects.toBeInstanceOf(SessionExpiredError)

    // ky's first wait is 300 ms.
    expect(performance.now() - begin).toBeLessThan(250)
  })

  test('a session that ends with the refresh is refreshed once', async () => {
    const { api, url, server, auth } = await start()
    server.expireAccessTokens()
    server.killRefreshTokens()

    await expect(api.get(`${url}/api/me`)).rejects.toBeInstanceOf(SessionExpiredError)
    expect([server.tokenRequests, auth.state]).toEqual([1, 'expired'])
  })

  test('a retry option of the app keeps its limit, and session errors are not tried again', async () => {
    const { auth, url, expire } = await start()
    await expire()
    let calls = 0
    const counted: typeof fetch = (...parameters) => {
      calls++
      return own.fetch(...parameters)
    }
    const own = authKy(auth, { origins: [url] })
    const api = ky.extend(own).extend({ fetch: counted })

    await expect(api.get(`${url}/api/me`, { retry: { limit: 5 } })).rejects.toBeInstanceOf(
      SessionExpiredError,
    )
    await expect(api.get(`${url}/api/me`, { retry: 5 })).rejects.toBeInstanceOf(SessionExpiredError)

    expect(calls).toBe(2)
  })

  test('other failures are still retried', async () => {
    const { auth } = await start()
    let count = 0
    const flaky = await startOrigin(() => (count++ === 0 ? { status: 503 } : { body: 'ok' }))
    const api = ky.extend(authKy(auth, { origins: [flaky.url] }))

    expect(await api.get(flaky.url, { retry: { delay: () => 1 } }).text()).toBe('ok')
    expect(count).toBe(2)
  })
})
