import { describe, expect, test } from 'vitest'
import { entered, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

describe.each(transports)('$name: a burst of 401s', ({ create }) => {
  test('a hundred parallel 401s cost one refresh and succeed, each replayed once', async () => {
    const { server, url, signedIn, apiLog, emitted } = await setUp()
    const client = create(await signedIn(), { origin: url })
    server.expireAccessTokens()
    server.tokenDelay = 20

    const answers = await Promise.all(times(100, (index) => client.get(`/api/item/${index}`)))

    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200))
    expect(answers.map(({ json }) => (json as { path: string }).path)).toEqual(
      Array.from({ length: 100 }, (_, index) => `/api/item/${index}`),
    )
    expect(server.refreshes).toBe(1)
    expect(server.tokenRequests).toBe(1)
    const sendings = new Map<string, number>()
    for (const { path } of apiLog()) sendings.set(path, (sendings.get(path) ?? 0) + 1)
    expect([...sendings.values()]).toEqual(Array(100).fill(2))
    expect(emitted('requestReplayed').reduce((sum, { count }) => sum + count, 0)).toBe(100)
  })
})
