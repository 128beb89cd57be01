import { SignedOutError } from '../../../core/errors.ts'
import { isTokenRequest } from '../bench.ts'
import type { Kit } from '../kit.ts'
import { createMemoryStore } from '../memory-store.ts'
import { begun, nextEvent, outcomes, sooner, times, untilHeld } from '../waits.ts'

const isPassword = (request: { path: string; bodyText: string }) =>
  isTokenRequest(request) && request.bodyText.includes('grant_type=password')

export const signInRaces = ({ theme, scenario, expect }: Kit) =>
  theme('a renewal and a sign-in cross', () => {
    scenario('a renewal that ends during another sign-in does not undo the sign-in', async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const storage = createMemoryStore()
      const auth = await signedIn({ storage })
      const client = connect(auth)
      server.expireAccessTokens()
      const renewal = server.holdNext()
      const signIn = server.holdNext()
      const allHeld = untilHeld(auth, 5)
      const calls = times(5, () => client.get('/api/of-ada'))
      await sooner([renewal.arrived, allHeld], calls)
      const renewed = nextEvent(auth, 'refreshed')
      const signingIn = begun(auth.signIn({ username: 'bob' }))
      await signIn.arrived
      renewal.answer()
      await renewed
      expect(server.log.filter(isPassword)).toMatchObject([{ status: 0 }])

      signIn.answer()
      expect(await signingIn).toMatchObject({ subject: 'bob' })

      for (const error of await outcomes(calls)) expect(error).toBeInstanceOf(SignedOutError)
      expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
      expect(storage.read()).toMatchObject({ subject: 'bob' })
      expect(apiLog().map(({ path, authorization }) => `${path} ${authorization?.slice(7, 12)}`)).toEqual([
        ...Array(5).fill('/api/of-ada at-1-'),
        '/api/of-bob at-2-',
      ])
    })

    scenario(
      'a sign-in that is refused while the token is renewed leaves the renewal to those who wait',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        server.expireAccessTokens()
        const renewal = server.holdNext()
        const allHeld = untilHeld(auth, 5)
        const held = times(5, () => client.get('/api/x'))
        await sooner([renewal.arrived, allHeld], held)

        expect(await outcomes([auth.signIn({ username: 'bob', password: 'wrong' })])).toMatchObject([
          { status: 400 },
        ])

        renewal.answer()
        for (const answer of await Promise.all(held)) {
          expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
        }
        expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
        expect(auth.state).toBe('authenticated')
      },
    )

    scenario(
      'a sign-in that is refused after the token was renewed lets those who wait go with the new token',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        server.expireAccessTokens()
        const renewal = server.holdNext()
        const signIn = server.holdNext()
        const allHeld = untilHeld(auth, 5)
        const held = times(5, () => client.get('/api/x'))
        await sooner([renewal.arrived, allHeld], held)
        const renewed = nextEvent(auth, 'refreshed')
        const signingIn = outcomes([auth.signIn({ username: 'bob', password: 'wrong' })])
        await signIn.arrived
        renewal.answer()
        await renewed
        expect(server.log.filter(isPassword)).toMatchObject([{ status: 0 }])

        signIn.answer()
        expect(await signingIn).toMatchObject([{ status: 400 }])
        for (const answer of await Promise.all(held)) {
          expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
        }
        expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
      },
    )

    scenario('requests begun during a sign-in wait for it', async (setUp) => {
      const { server, connect, createAuth, apiLog } = await setUp()
      const auth = createAuth()
      await auth.ready()
      const client = connect(auth)
      const signIn = server.holdNext()
      const signingIn = begun(auth.signIn({ username: 'ada' }))
      await signIn.arrived
      const allHeld = untilHeld(auth, 5)

      const calls = times(5, () => client.get('/api/x'))
      await sooner([allHeld], calls)
      signIn.answer()
      const answers = await Promise.all(calls)

      await signingIn
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
      expect(apiLog().map(({ generation }) => generation)).toEqual(Array(5).fill(1))
    })
  })
