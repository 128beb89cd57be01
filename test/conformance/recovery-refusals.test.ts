import { describe, expect, test } from 'vitest'
import { setUp, times } from './harness.ts'
import { transports } from './transports.ts'

describe.each(transports)('$name: a refusal no renewal can help', ({ create, givesRefusalsAs }) => {
  test('a 401 in spite of a fresh token is given to the caller, and the endpoint gets no more renewals', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const refusal = { status: 401, givenAs: givesRefusalsAs, json: { error: 'invalid_token' } }

    expect(await client.get('/api/always-401')).toMatchObject(refusal)
    expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2])
    expect(server.tokenRequests).toBe(1)

    for (const answer of await Promise.all(times(5, () => client.get('/api/always-401')))) {
      expect(answer).toMatchObject(refusal)
    }
    for (let page = 1; page <= 5; page++) {
      expect(await client.get(`/api/always-401?page=${page}`)).toMatchObject(refusal)
    }
    expect(apiLog()).toHaveLength(12)
    expect(server.tokenRequests).toBe(1)

    expect(await client.get('/api/other')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect(auth.state).toBe('authenticated')
  })

  test('an endpoint that always refuses does not keep others from a renewal of their own', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })
    await client.get('/api/always-401')

    server.expireAccessTokens()
    expect(await client.get('/api/other')).toMatchObject({ status: 200, json: { generation: 3 } })
    expect(server.refreshes).toBe(2)
  })

  test('an endpoint that refused a token for good gets a renewal again once that token is gone', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    await client.get('/api/always-401')
    await auth.refresh()
    expect(server.refreshes).toBe(2)

    expect(await client.get('/api/always-401')).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(await client.get('/api/always-401')).toMatchObject({ status: 401, givenAs: givesRefusalsAs })

    expect(server.refreshes).toBe(3)
    expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2, 3, 4, 4])
  })

  test('a burst of requests that are always refused costs one renewal', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })

    const answers = await Promise.all(times(20, () => client.get('/api/always-401')))

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(401))
    expect(server.tokenRequests).toBe(1)
  })

  test('insufficient_scope asks for a step-up instead of a renewal', async () => {
    const { server, url, signedIn, apiLog, emitted } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })

    const answer = await client.get('/api/forbidden')

    expect(answer).toMatchObject({ status: 403, givenAs: givesRefusalsAs })
    expect(emitted('stepUpRequired')).toMatchObject([{ scope: 'admin' }])
    expect([server.tokenRequests, apiLog().length]).toEqual([0, 1])
    expect(auth.state).toBe('authenticated')
  })

  test('insufficient_user_authentication asks for a step-up, with what RFC 9470 says about it', async () => {
    const { server, url, signedIn, apiLog, emitted } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })

    const answer = await client.get('/api/step-up')

    expect(answer).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr', maxAge: 60 }])
    expect([server.tokenRequests, apiLog().length]).toEqual([0, 1])
    expect(auth.state).toBe('authenticated')
  })

  test('a step-up that shows only after a renewal is told and given back too', async () => {
    const { server, url, signedIn, emitted } = await setUp()
    const client = create(await signedIn(), { origin: url })
    server.expireAccessTokens()

    expect(await client.get('/api/step-up')).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr', maxAge: 60 }])
    expect(server.tokenRequests).toBe(1)
  })

  test('a 401 of a request nobody is signed in for is its own', async () => {
    const { server, url, createAuth, apiLog } = await setUp()
    const auth = createAuth()
    await auth.ready()
    const client = create(auth, { origin: url })

    expect(await client.get('/api/x')).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(apiLog().map(({ authorization }) => authorization)).toEqual([undefined])
    expect(server.tokenRequests).toBe(0)
  })
})
