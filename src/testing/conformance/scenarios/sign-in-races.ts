import { SignedOutError } from '../../../core/errors.ts'
import { isTokenRequest } from '../harness.ts'
import { createMemoryStore } from '../memory-store.ts'
import type { Suite } from '../suite.ts'
import { begun, nextEvent, outcomes, sooner, times, untilHeld } from '../waits.ts'

const isPassword = (request: { path: string; bodyText: string }) =>
  isTokenRequest(request) && request.bodyText.includes('grant_type=password')

export const signInRaces = ({ theme, scenario, expect }: Suite) =>
  theme('a refresh and a sign-in at the same time', () => {
    scenario(
      'a refresh that ends during the sign-in of another user does not undo the sign-in',
      async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const storage = createMemoryStore()
        const auth = await signedIn({ storage })
        const client = connect(auth)
        server.expireAccessTokens()
        const heldRefresh = server.holdNext()
        const signIn = server.holdNext()
        const allHeld = untilHeld(auth, 5)
        const calls = times(5, () => client.get('/api/of-ada'))
        await sooner([heldRefresh.arrived, allHeld], calls)
        const refreshed = nextEvent(auth, 'refreshed')
        const signingIn = begun(auth.signIn({ username: 'bob' }))
        await signIn.arrived
        heldRefresh.answer()
        await refreshed
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
      },
    )

    scenario('a sign-in that is rejected during a refresh does not stop the refresh', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
      server.expireAccessTokens()
      const heldRefresh = server.holdNext()
      const allHeld = untilHeld(auth, 5)
      const held = times(5, () => client.get('/api/x'))
      await sooner([heldRefresh.arrived, allHeld], held)

      expect(await outcomes([auth.signIn({ username: 'bob', password: 'wrong' })])).toMatchObject([
        { status: 400 },
      ])

      heldRefresh.answer()
      for (const answer of await Promise.all(held)) {
        expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
      }
      expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
      expect(auth.state).toBe('authenticated')
    })

    scenario(
      'a sign-in that is rejected after a refresh releases the held requests with the refreshed token',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        server.expireAccessTokens()
        const heldRefresh = server.holdNext()
        const signIn = server.holdNext()
        const allHeld = untilHeld(auth, 5)
        const held = times(5, () => client.get('/api/x'))
        await sooner([heldRefresh.arrived, allHeld], held)
        const refreshed = nextEvent(auth, 'refreshed')
        const signingIn = outcomes([auth.signIn({ username: 'bob', password: 'wrong' })])
        await signIn.arrived
        heldRefresh.answer()
        await refreshed
        expect(server.log.filter(isPassword)).toMatchObject([{ status: 0 }])

        signIn.answer()
        expect(await signingIn).toMatchObject([{ status: 400 }])
        for (const answer of await Promise.all(held)) {
          expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
        }
        expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
      },
    )

    scenario('requests started during a sign-in wait for it', async (setUp) => {
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
