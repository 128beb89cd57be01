import { fromCookie } from '../../../core/features/share.ts'
import type { AuthOptions } from '../../../core/options.ts'
import type { TokenResponse } from '../../../core/ports.ts'
import type { Suite } from '../suite.ts'
import { times } from '../waits.ts'

const invalidCookies = [
  { what: 'a missing cookie', cookie: '' },
  { what: 'an unknown cookie', cookie: 'refresh_token=rt-forged' },
]

export const silentSignIn = ({ theme, scenario, expect, refused }: Suite) =>
  theme('a refresh token in a cookie', () => {
    /** A `refresh` with a cookie jar, like that of a browser. */
    const cookieRefresh = (url: string, jar: { cookie: string }): AuthOptions['refresh'] => {
      return async ({ refreshToken, signal }) => {
        expect(refreshToken).toBeUndefined()
        const response = await fetch(`${url}/token`, {
          method: 'POST',
          headers: { cookie: jar.cookie },
          body: new URLSearchParams({ grant_type: 'refresh_token', cookie: '1' }),
          signal,
        })
        if (!response.ok) throw response
        jar.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? jar.cookie
        return (await response.json()) as TokenResponse
      }
    }

    scenario('a valid cookie signs in silently and is used for later refreshes', async (setUp) => {
      const { server, url, connect, createAuth, apiLog, emitted } = await setUp()
      const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
      const auth = createAuth({ refresh: cookieRefresh(url, jar), silentSignIn: fromCookie() })
      const client = connect(auth)
      const held = times(5, () => client.get('/api/x'))

      await auth.ready()
      expect(auth.state).toBe('authenticated')
      for (const answer of await Promise.all(held)) expect(answer).toMatchObject({ json: { generation: 2 } })

      server.expireAccessTokens()
      expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 3 } })
      expect([server.refreshes, server.reuseDetections]).toEqual([2, 0])
      expect(apiLog()).toHaveLength(7)
      expect(emitted('signedIn')).toHaveLength(1)
    })

    for (const { what, cookie } of invalidCookies) {
      scenario(`${what} leads to the anonymous state`, async (setUp) => {
        const { server, url, connect, createAuth, apiLog, emitted } = await setUp()
        const auth = createAuth({ refresh: cookieRefresh(url, { cookie }), silentSignIn: fromCookie() })
        const client = connect(auth)
        const held = times(5, () => client.get('/api/x'))

        await auth.ready()

        expect(auth.state).toBe('anonymous')
        for (const answer of await Promise.all(held)) expect(answer).toMatchObject(refused(401))
        expect(apiLog().map(({ authorization }) => authorization)).toEqual(Array(5).fill(undefined))
        expect(server.tokenRequests).toBe(1)
        expect(emitted('expired')).toEqual([])
      })
    }

    scenario('a silent sign-in that fails is retried before the session becomes anonymous', async (setUp) => {
      const { server, url, connect, createAuth } = await setUp()
      const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
      server.failNext(2)
      const auth = createAuth({ refresh: cookieRefresh(url, jar), silentSignIn: fromCookie() })

      expect(await connect(auth).get('/api/x')).toMatchObject({ status: 200 })
      expect([auth.state, server.tokenRequests]).toEqual(['authenticated', 3])
    })

    scenario('the token endpoint receives no request at the start without silentSignIn', async (setUp) => {
      const { server, url, connect, createAuth } = await setUp()
      const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
      const auth = createAuth({ refresh: cookieRefresh(url, jar) })
      await auth.ready()

      expect(await connect(auth).get('/api/x')).toMatchObject(refused(401))
      expect([auth.state, server.tokenRequests]).toEqual(['anonymous', 0])
    })
  })
