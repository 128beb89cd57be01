import { describe, expect, test } from 'vitest'
import { SignedOutError } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { isTokenRequest, nextEvent, outcomes, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const isPassword = (request: { path: string; bodyText: string }) =>
  isTokenRequest(request) && request.bodyText.includes('grant_type=password')

describe.each(transports)('$name: a renewal and a sign-in cross', ({ create }) => {
  test('a renewal that ends during another sign-in does not undo the sign-in', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const storage = memoryStorage()
    const auth = await signedIn({ storage })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(60)
    server.delayNext(200)
    const asked = server.whenRequest(isTokenRequest)
    const old = outcomes(times(5, () => client.get('/api/of-ada')))
    await asked
    const renewed = nextEvent(auth, 'refreshed')
    const signingIn = auth.signIn({ username: 'bob' })
    await renewed
    expect(server.log.find(isPassword)).toMatchObject({ status: 0 })

    expect(await signingIn).toMatchObject({ subject: 'bob' })

    for (const error of await old) expect(error).toBeInstanceOf(SignedOutError)
    expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
    expect(await storage.read()).toMatchObject({ subject: 'bob' })
    expect(apiLog().map(({ path, authorization }) => `${path} ${authorization?.slice(7, 12)}`)).toEqual([
      ...Array(5).fill('/api/of-ada at-1-'),
      '/api/of-bob at-2-',
    ])
  })

  test('a sign-in that is refused while the token is renewed leaves the renewal to those who wait', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const held = times(5, () => client.get('/api/x'))
    await asked

    await expect(auth.signIn({ username: 'bob', password: 'wrong' })).rejects.toMatchObject({ status: 400 })

    for (const answer of await Promise.all(held)) {
      expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
    }
    expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
    expect(auth.state).toBe('authenticated')
  })

  test('a sign-in that is refused after the token was renewed lets those who wait go with the new token', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(60)
    server.delayNext(200)
    const asked = server.whenRequest(isTokenRequest)
    const held = times(5, () => client.get('/api/x'))
    await asked
    const renewed = nextEvent(auth, 'refreshed')
    const signingIn = outcomes([auth.signIn({ username: 'bob', password: 'wrong' })])
    await renewed
    expect(server.log.find(isPassword)).toMatchObject({ status: 0 })

    expect(await signingIn).toMatchObject([{ status: 400 }])
    for (const answer of await Promise.all(held)) {
      expect(answer).toMatchObject({ status: 200, json: { subject: 'ada', generation: 2 } })
    }
    expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
  })

  test('requests begun during a sign-in wait for it', async () => {
    const { server, url, createAuth, apiLog } = await setUp()
    const auth = createAuth()
    await auth.ready()
    const client = create(auth, { origin: url })
    server.delayNext(80)
    const asked = server.whenRequest(isTokenRequest)
    const signingIn = auth.signIn({ username: 'ada' })
    await asked

    const answers = await Promise.all(times(5, () => client.get('/api/x')))

    await signingIn
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(apiLog().map(({ generation }) => generation)).toEqual(Array(5).fill(1))
  })
})
