import { expect, it, onTestFinished } from 'vitest'
import { createAuth } from '../../src/defaults.ts'
import { createTokenServer } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

it('a refresh behind hundreds of refused requests of its own process is answered, and sent once', async () => {
  const server = createTokenServer({ accessTokenLifetime: 600_000, reuseGrace: 0 })
  const { url, close } = await server.listen()
  const auth = createAuth({
    timeouts: { refresh: 50 },
    initialTokens: server.issue(),
    refresh: async ({ refreshToken = '', signal }) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
      const response = await fetch(`${url}/token`, { method: 'POST', body, signal })
      return response.ok ? response.json() : Promise.reject(response)
    },
  })
  onTestFinished(async () => {
    auth.dispose()
    await close()
  })
  const api = createAuthFetch(auth, { origins: [url] })
  server.expireAccessTokens()
  const paths = Array.from({ length: 200 }, (_, index) => `${url}/api/${index}`)
  const statuses = await Promise.all(paths.map(async (path) => (await api(path)).status))
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  expect(auth.history.map(({ type }) => type)).not.toContain('refreshFailed')
})
