import { describe, expect, it } from 'vitest'
import { defineProof } from '../../src/core/features/proof.ts'
import type { SessionRecord } from '../../src/core/ports.ts'
import type { Proof, ProofAnswer, ProofPort, ProofRequest } from '../../src/core/proof-port.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import type { BearerRequest, Reply, SentProof } from '../../src/core/requests/transport-request.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { createHarness, type HarnessOptions, SECRET, tokens, watch } from './auth-setup.ts'

interface Answer extends Reply {
  readonly status: number
}

const URL_OF_API = 'https://api.example.com/me?a=1'
const bound = (n: number, more: object = {}) => tokens(n, { token_type: 'DPoP', ...more })
const answer = (status: number, more: Partial<Answer> = {}): Answer => ({
  status,
  header: () => null,
  ...more,
})

interface FakePort {
  readonly proven: ProofRequest[]
  readonly heeded: [Proof, ProofAnswer][]
  key: string
  readonly forgotten: (string | undefined)[]
  /** The verdicts on the next answers. */
  verdicts: ('again' | undefined)[]
  /** What a proof waits for. */
  signing: Promise<unknown>
  keyId: ProofPort['keyId']
}

/** A proof port that the test watches, and a key that it can replace. */
function fakePort() {
  const proven: ProofRequest[] = []
  const heeded: [Proof, ProofAnswer][] = []
  const fake: FakePort = {
    proven,
    heeded,
    key: 'key-1',
    forgotten: [],
    verdicts: [],
    signing: Promise.resolve(),
    keyId: async () => fake.key,
  }
  const port: ProofPort = {
    async prove(request) {
      proven.push(request)
      const dpop = `proof-${proven.length}`
      await fake.signing
      return { authorization: `DPoP ${request.accessToken}`, dpop }
    },
    heed(proof, given) {
      heeded.push([proof, given])
      return fake.verdicts.shift()
    },
    keyId: (expected) => fake.keyId(expected),
    forget(keyId) {
      fake.forgotten.push(keyId)
    },
  }
  return { fake, proof: defineProof(port) }
}

/** A session whose tokens are bound to a key, and a server in this process that the test answers for. */
function started(options: HarnessOptions = {}) {
  const { fake, proof } = fakePort()
  const made = createHarness({ initialTokens: bound(1), proof, ...options })
  const sent: {
    authorization: string | undefined
    proof: SentProof | undefined
    answer: (answer: Answer) => Promise<void>
  }[] = []
  const discarded: Answer[] = []
  const send = (more: Partial<BearerRequest<Answer>> = {}) =>
    watch(
      bearerRequest<Answer>(made.auth, {
        send: (authorization, abort, given) =>
          new Promise((resolve, reject) => {
            abort?.addEventListener('abort', () => reject(abort.reason))
            sent.push({
              authorization,
              proof: given,
              answer(value) {
                resolve(value)
                return made.clock.advance(0)
              },
            })
          }),
        challenge: ({ status }) => (status === 401 ? 'refresh' : undefined),
        replayable: true,
        key: () => 'GET /me',
        method: 'get',
        url: URL_OF_API,
        reply: (given) => given,
        discard: (given) => void discarded.push(given),
        ...more,
      }),
    )
  return { ...made, fake, proof, sent, discarded, send }
}

describe('a session with proof of possession', () => {
  it.each(['DPoP', 'dpop', 'DPOP'])('accepts tokens of the type %s', async (token_type) => {
    const { auth } = started({ initialTokens: tokens(1, { token_type }) })
    expect(auth.session).toBeDefined()
    auth.dispose()
  })

  it('goes on with bearer tokens if the server issues such', async () => {
    const { send, sent, fake } = started({ initialTokens: tokens(1) })
    send()
    expect(sent).toMatchObject([{ authorization: `Bearer ${SECRET}-at-1`, proof: undefined }])
    expect(fake.proven).toEqual([])
  })

  it('is bounded: a key that never signs does not hold a request for ever', async () => {
    const { send, sent, fake, clock } = started({ timeouts: { storage: 300 } })
    fake.signing = new Promise(() => {})
    const request = send()
    await clock.advance(299)
    expect(request.state).toBe('pending')
    await clock.advance(1)
    expect(request).toMatchObject({ error: { name: 'StorageError', reason: 'key_unavailable' } })
    expect(sent).toEqual([])
  })

  it('rejects at once when its caller aborts while the key signs', async () => {
    const { send, fake, clock } = started()
    fake.signing = new Promise(() => {})
    const controller = new AbortController()
    const request = send({ signal: controller.signal })
    await clock.advance(10)
    controller.abort(new Error('enough'))
    await clock.advance(0)
    expect(request).toMatchObject({ error: { message: 'enough' } })
  })

  it('binds tokens of the app to the key that there is now', async () => {
    const { auth, fake, refresh, clock } = started()
    fake.key = 'key-2'
    await auth.setTokens(bound(2))
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(bound(3))
    await refreshed
    expect(auth.state).toBe('authenticated')
  })

  it('takes no tokens of the app if the user signs out while it looks for the key', async () => {
    const { auth, fake, clock } = started()
    let found: (id: string) => void = () => {}
    fake.keyId = () => new Promise((resolve) => (found = resolve))
    const set = watch(auth.setTokens(bound(2)))
    await clock.advance(0)
    void auth.signOut()
    found('key-2')
    await clock.advance(0)
    expect(set).toMatchObject({ error: { name: 'SignedOutError', reason: 'superseded' } })
    expect(auth.session).toBeUndefined()
  })

  it('makes one proof for each sending, for the method and the URL that are sent', async () => {
    const { send, sent, fake, clock } = started()
    const request = send()
    await settled()

    expect(fake.proven).toEqual([
      { method: 'GET', url: URL_OF_API, accessToken: `${SECRET}-at-1`, keyId: undefined },
    ])
    expect(sent).toMatchObject([
      { authorization: `DPoP ${SECRET}-at-1`, proof: { header: 'proof-1', url: URL_OF_API } },
    ])
    await sent[0]!.answer(answer(200))
    await clock.advance(0)
    expect(request).toMatchObject({ state: 'fulfilled', value: { status: 200 } })
    expect(fake.heeded).toHaveLength(1)
  })

  it('repeats a sending once for a nonce, and that is no replay', async () => {
    const { send, sent, fake, discarded, emitted } = started()
    fake.verdicts = ['again', 'again', 'again']
    const request = send()
    await settled()
    await sent[0]!.answer(answer(401))
    await sent[1]!.answer(answer(200))

    expect(request).toMatchObject({ state: 'fulfilled', value: { status: 200 } })
    expect(sent.map(({ proof }) => proof?.header)).toEqual(['proof-1', 'proof-2'])
    expect(discarded).toEqual([expect.objectContaining({ status: 401 })])
    expect(emitted()).not.toContain('requestReplayed')
  })

  it('asks for a nonce and for a new token in the same request', async () => {
    const { send, sent, fake, refresh } = started()
    fake.verdicts = ['again', undefined, 'again', undefined]
    const request = send()
    await settled()
    await sent[0]!.answer(answer(401))
    await sent[1]!.answer(answer(401))
    refresh.call().resolve(bound(2))
    await settled()
    await sent[2]!.answer(answer(401))
    await sent[3]!.answer(answer(200))

    expect(request).toMatchObject({ state: 'fulfilled', value: { status: 200 } })
    expect(sent.map(({ authorization }) => authorization?.slice(-4))).toEqual([
      'at-1',
      'at-1',
      'at-2',
      'at-2',
    ])
    expect(refresh.calls).toHaveLength(1)
  })

  it('returns the 401 of a body that can be sent only once, and learns from it', async () => {
    const { send, sent, fake } = started()
    fake.verdicts = ['again']
    const request = send({ replayable: false, challenge: () => undefined })
    await settled()
    await sent[0]!.answer(answer(401))

    expect(request).toMatchObject({ state: 'fulfilled', value: { status: 401 } })
    expect(sent).toHaveLength(1)
    expect(fake.heeded).toHaveLength(1)
  })

  it('sends no token that was replaced while its proof was made', async () => {
    const { auth, send, sent, fake, refresh } = started()
    let sign = () => {}
    fake.signing = new Promise<void>((resolve) => {
      sign = resolve
    })
    const request = send()
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(bound(2))
    await refreshed
    expect(sent).toEqual([])
    sign()
    await settled()

    expect(sent.map(({ authorization }) => authorization)).toEqual([`DPoP ${SECRET}-at-2`])
    await sent[0]!.answer(answer(200))
    expect(request).toMatchObject({ state: 'fulfilled' })
  })

  it('sends nothing for a user who signed out while the proof was made', async () => {
    const { auth, send, sent, fake } = started()
    let sign = () => {}
    fake.signing = new Promise<void>((resolve) => {
      sign = resolve
    })
    const request = send()
    await settled()
    await auth.signOut()
    sign()
    await settled()

    const error = { code: 'signed_out', reason: 'signed_out' }
    expect(request).toMatchObject({ state: 'rejected', error })
    expect(sent).toEqual([])
  })

  describe('with a limited number of requests at once', () => {
    /** One held request has been released, and makes its proof. */
    async function startSigning() {
      const made = started({
        initialTokens: bound(1, { expires_in: 0, subject: 'ada' }),
        release: { concurrency: 1 },
      })
      let sign = () => {}
      made.fake.signing = new Promise<void>((resolve) => {
        sign = resolve
      })
      const signing = made.send()
      await made.clock.advance(0)
      made.refresh.call().resolve(bound(2, { subject: 'ada' }))
      await made.clock.advance(0)
      made.fake.signing = Promise.resolve()
      return { ...made, signing, sign }
    }

    it('a request that waits again leaves its place, so that it does not wait for itself', async () => {
      const { clock, refresh, send, sent, signing, sign } = await startSigning()
      const refused = send()
      await clock.advance(0)
      await sent[0]!.answer(answer(401))
      sign()
      await clock.advance(0)
      refresh.call().resolve(bound(3, { subject: 'ada' }))
      await clock.advance(0)
      for (let next = 1; next < 3; next++) await sent[next]!.answer(answer(200))

      expect([signing.state, refused.state]).toEqual(['fulfilled', 'fulfilled'])
      expect(sent.map(({ authorization }) => authorization?.at(-1))).toEqual(['2', '3', '3'])
    })

    it('a request that is rejected when it would wait again leaves one place', async () => {
      const { auth, clock, refresh, send, sent, signing, sign } = await startSigning()
      await auth.setTokens(bound(4, { expires_in: 0, subject: 'bob' }))
      const held = [send(), send(), send()]
      sign()
      await clock.advance(0)
      expect(signing).toMatchObject({ state: 'rejected', error: { reason: 'user_changed' } })
      refresh.call().resolve(bound(5, { subject: 'bob' }))
      await clock.advance(0)
      for (let next = 0; next < 3; next++) {
        expect(sent).toHaveLength(next + 1)
        await sent[next]!.answer(answer(200))
      }
      expect(held.map(({ state }) => state)).toEqual(Array(3).fill('fulfilled'))
    })
  })

  it.each([
    ['GET', 2],
    ['HEAD', 2],
    ['POST', 1],
  ])('answers the 401 behind a redirect of a %s with %i sendings', async (method, sendings) => {
    const { send, sent } = started()
    const end = 'https://api.example.com/moved'
    const request = send({ method, challenge: () => undefined })
    await settled()
    await sent[0]!.answer(answer(401, { url: end }))
    await sent[1]?.answer(answer(401, { url: end }))

    expect(request).toMatchObject({ state: 'fulfilled', value: { status: 401 } })
    expect(sent).toHaveLength(sendings)
    expect(sent.at(-1)!.proof?.url).toBe(method === 'POST' ? URL_OF_API : end)
  })

  it.each(['https://other.example.com/moved', 'https://api.example.com/me?b=2'])(
    'does not send again to %s',
    async (url) => {
      const { send, sent } = started()
      send({ challenge: () => undefined })
      await settled()
      await sent[0]!.answer(answer(401, { url }))
      expect(sent).toHaveLength(1)
    },
  )

  it('rejects a request of a transport that does not say what to prove', async () => {
    const { fake, proof } = fakePort()
    const { auth } = createHarness({ initialTokens: bound(1), proof })
    let sendings = 0
    const request = watch(
      bearerRequest(auth, {
        send: async () => sendings++,
        challenge: () => undefined,
        replayable: true,
        key: () => 'GET /',
      }),
    )
    await settled()
    expect(request).toMatchObject({ state: 'rejected', error: { name: 'TypeError' } })
    expect([sendings, fake.proven.length]).toEqual([0, 0])
  })

  it('reads a Response if a transport has no reply()', async () => {
    const { send, sent, fake } = started()
    const request = watch(
      new Promise((resolve) => {
        const { value } = send({ reply: undefined as never })
        resolve(value)
      }),
    )
    await settled()
    const headers = new Headers({ 'dpop-nonce': 'n' })
    await sent[0]!.answer({ status: 200, headers } as never)
    expect(fake.heeded[0]![1].header('dpop-nonce')).toBe('n')
    expect(request.state).toBe('fulfilled')
  })
})

describe('the key of a session', () => {
  it('is in the record, with the type of the tokens', async () => {
    const storage = memoryStorage()
    const { auth, signIn, refresh } = started({ signedOut: true, initialTokens: undefined as never, storage })
    await auth.ready()
    const signedIn = auth.signIn('ada')
    await settled()
    signIn.call().resolve(bound(1))
    await signedIn
    expect(storage.read()).toMatchObject({ tokenType: 'DPoP', keyId: 'key-1' })

    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(tokens(2))
    await refreshed
    const record = storage.read() as Record<string, unknown>
    expect([record.tokenType, record.keyId]).toEqual([undefined, undefined])
  })

  const stored = (more: object) => {
    const storage = memoryStorage()
    storage.write({
      version: 1,
      id: 'a',
      rotation: 0,
      startedAt: 0,
      receivedAt: 0,
      accessToken: `${SECRET}-at-1`,
      refreshToken: `${SECRET}-rt-1`,
      tokenType: 'DPoP',
      keyId: 'key-1',
      ...more,
    })
    return storage
  }

  it('is passed on from a restored session', async () => {
    const { auth, send, sent, fake } = started({ initialTokens: undefined as never, storage: stored({}) })
    await auth.ready()
    send()
    await settled()
    expect(fake.proven).toMatchObject([{ keyId: 'key-1' }])
    expect(sent).toMatchObject([{ authorization: `DPoP ${SECRET}-at-1` }])
  })

  it('makes a record unusable if its name is none', async () => {
    const storage = stored({ keyId: 7 })
    const { auth, emitted } = started({ initialTokens: undefined as never, storage })
    await auth.ready()
    expect(auth.session).toBeUndefined()
    expect(emitted()).toContain('storageFailed')
  })

  it('ends the session as key_lost if it is another one, and the refresh token is not presented', async () => {
    const { auth, send, sent, fake, refresh, last } = started({
      initialTokens: undefined as never,
      storage: stored({}),
    })
    await auth.ready()
    fake.key = 'key-2'

    const request = send()
    await settled()
    await sent[0]!.answer(answer(401))

    expect(request).toMatchObject({
      state: 'rejected',
      error: { code: 'session_expired', reason: 'key_lost', cause: { message: /is missing here/ } },
    })
    expect(refresh.calls).toEqual([])
    expect(last('expired')).toMatchObject({ reason: 'key_lost' })
    expect(auth.state).toBe('expired')
  })

  it('is replaced by another one in a session without a refresh token, which could need the old one', async () => {
    const storage = stored({ refreshToken: undefined })
    const { auth, send, sent, fake, refresh } = started({ initialTokens: undefined as never, storage })
    await auth.ready()
    fake.key = 'key-2'
    const request = send()
    await settled()
    await sent[0]!.answer(answer(401))
    refresh.call().resolve({ ...bound(2), refresh_token: undefined })
    await settled()
    await sent[1]!.answer(answer(200))
    expect(request.state).toBe('fulfilled')
    expect(storage.read()).toMatchObject({ keyId: 'key-2' })
  })

  it('keeps the session if its store does not answer', async () => {
    const storage = stored({})
    const { auth, fake, refresh, clock } = started({ initialTokens: undefined as never, storage })
    await auth.ready()
    fake.keyId = () => new Promise(() => {})
    const refreshed = watch(auth.refresh())
    await clock.advance(2_000)
    expect(refresh.calls).toEqual([])
    fake.keyId = async () => 'key-1'
    await clock.advance(1_000)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(bound(2))
    await settled()
    expect(refreshed.state).toBe('fulfilled')
  })

  it('fails a sign-in with a StorageError if its store fails, without the text of the store', async () => {
    const { auth, fake, signIn } = started({ signedOut: true, initialTokens: undefined as never })
    await auth.ready()
    fake.keyId = () => Promise.reject(new Error(SECRET))
    const error = await auth.signIn('ada').catch((thrown) => thrown)
    expect(error).toMatchObject({ name: 'StorageError', reason: 'key_unavailable' })
    expect(JSON.stringify([error.message, error.cause])).not.toContain(SECRET)
    expect(signIn.calls).toEqual([])
  })

  it('does not let a refresh token leave after a sign-out while the key was looked up', async () => {
    const { auth, fake, refresh } = started()
    let found = (_: string) => {}
    fake.keyId = () => new Promise((resolve) => (found = resolve))
    const refreshed = watch(auth.refresh())
    await settled()
    await auth.signOut()
    found('key-1')
    await settled()
    expect(refresh.calls).toEqual([])
    expect(refreshed.state).toBe('rejected')
  })

  it('is removed by its name at a sign-out, here and in another tab', async () => {
    const { auth, fake } = started()
    await auth.signOut()
    await settled()
    // Tokens that the app gave at the start are of no key that is known by its name.
    expect(fake.forgotten).toEqual([undefined])

    const clock = createVirtualClock()
    let change = () => {}
    const storage = {
      ...stored({}),
      subscribe(onChange: () => void) {
        change = onChange
        return () => {}
      },
    }
    const other = started({ initialTokens: undefined as never, storage, clock })
    await other.auth.ready()
    storage.clear()
    change()
    await clock.advance(1_000)
    expect(other.auth.session).toBeUndefined()
    expect(other.fake.forgotten).toEqual(['key-1'])
  })

  it('may be a port without forget()', async () => {
    const proof = defineProof({
      prove: async () => ({ authorization: '', dpop: '' }),
      heed: () => undefined,
      keyId: async () => 'key',
    })
    const { auth } = createHarness({ proof, initialTokens: bound(1) })
    await auth.signOut()
    expect(auth.state).toBe('loggedOut')
  })
})

describe('defineProof', () => {
  it.each(['prove', 'heed', 'keyId'])('throws a TypeError without %s', (name) => {
    const port = { prove() {}, heed() {}, keyId() {}, [name]: undefined }
    expect(() => defineProof(port as never)).toThrow(TypeError)
  })

  it('is needed: createAuth does not take a plain port', () => {
    expect(() => createHarness({ proof: { prove() {}, heed() {}, keyId() {} } as never })).toThrow(
      /proof must be made by a function of the library/,
    )
  })
})

describe('a key that the session keeps', () => {
  const OWN = { kty: 'EC', d: `${SECRET}-d1` }
  const OTHER = { kty: 'EC', d: `${SECRET}-d2` }
  const kept = (n: number, proofKey: object) => tokens(n, { token_type: 'DPoP', proofKey })

  it('is in its record, and in each refresh and each proof', async () => {
    const storage = memoryStorage()
    const { auth, send, fake, refresh, clock } = started({ initialTokens: kept(1, OWN), storage })
    await clock.advance(0)
    expect(storage.read()).toMatchObject({ tokenType: 'DPoP', proofKey: OWN })
    const refreshed = auth.refresh()
    await settled()
    expect(refresh.call().argument).toMatchObject({ proofKey: OWN })
    refresh.call().resolve(bound(2))
    await refreshed
    send()
    await settled()
    expect(fake.proven).toMatchObject([{ accessToken: `${SECRET}-at-2`, proofKey: OWN }])
    auth.dispose()

    const next = started({ initialTokens: undefined as never, storage, clock })
    await next.auth.ready()
    next.send()
    await settled()
    expect(next.fake.proven).toMatchObject([{ accessToken: `${SECRET}-at-2`, proofKey: OWN }])
  })

  it('stays with bearer tokens, because their refresh token may be bound to it', async () => {
    const storage = memoryStorage()
    const { auth, send, sent, refresh } = started({ initialTokens: kept(1, OWN), storage })
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(tokens(2))
    await refreshed
    send()
    expect(sent).toMatchObject([{ authorization: `Bearer ${SECRET}-at-2`, proof: undefined }])
    expect(storage.read()).toMatchObject({ proofKey: OWN })
    auth.refresh().catch(() => {})
    await settled()
    expect(refresh.call().argument).toMatchObject({ proofKey: OWN })
  })

  it('goes with its own tokens, while others that are bound to another key are being stored', async () => {
    let write = () => {}
    const memory = memoryStorage()
    const storage = {
      ...memory,
      write: (record: SessionRecord) =>
        new Promise<unknown>((resolve) => (write = () => resolve(memory.write(record)))),
    }
    const { auth, send, fake, refresh } = started({ initialTokens: kept(1, OWN), storage })
    await settled()
    write()
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(kept(2, OTHER))
    await settled()
    send()
    await settled()
    write()
    await refreshed
    send()
    await settled()
    expect(fake.proven).toMatchObject([
      { accessToken: `${SECRET}-at-1`, proofKey: OWN },
      { accessToken: `${SECRET}-at-2`, proofKey: OTHER },
    ])
  })

  it('is none if the one of an answer is no object', async () => {
    const storage = memoryStorage()
    const { refresh, auth } = started({ initialTokens: kept(1, OWN), storage })
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(kept(2, 'text' as never))
    await refreshed
    expect(storage.read()).toMatchObject({ rotation: 1, proofKey: OWN })
  })

  it('ends with it: a sign-out removes no key of the port', async () => {
    const { auth, fake } = started({ initialTokens: kept(1, OWN) })
    await auth.signOut()
    expect(fake.forgotten).toEqual([])
  })

  it('is not looked for in the port, so the session does not end as key_lost', async () => {
    const { auth, fake, refresh } = started({ initialTokens: kept(1, OWN) })
    fake.keyId = () => Promise.reject(new Error('down'))
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(bound(2))
    await refreshed
  })
})
