import { describe, expect, it } from 'vitest'
import { type DPoPKey, type DPoPOptions, dpopProofs, type KeyStore } from '../../src/oauth2/index.ts'

const NOW = Date.UTC(2030, 0, 1)
const API = 'https://api.example.com/a/b'
const clock = (now = NOW) => ({ now: () => now, setTimeout: () => 0, clearTimeout: () => {} })
const json = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
const claimsOf = (dpop: string) => json(dpop.split('.')[1])
const headerOf = (dpop: string) => json(dpop.split('.')[0])
const request = { method: 'GET', url: API, accessToken: 'at', keyId: undefined }

/** An answer with these headers, in lower case. */
const answered = (status: number, headers: Record<string, string> = {}) => ({
  status,
  header: (name: string) => headers[name] ?? null,
})

/** A store whose steps the test can see. */
function mapStore() {
  const keys = new Map<string, DPoPKey>()
  const steps: string[] = []
  const store: KeyStore = {
    async get(id) {
      steps.push('get')
      return keys.get(id)
    },
    async add(id, key) {
      steps.push('add')
      if (keys.has(id)) return 'exists'
      keys.set(id, key)
      return 'added'
    },
    async remove(id) {
      steps.push('remove')
      keys.delete(id)
    },
  }
  return { store, keys, steps }
}

/** Proofs of a machine whose clock is set while it works. */
function withClock() {
  let now = NOW
  const proofs = dpopProofs({ clock: { ...clock(), now: () => now } })
  return {
    proofs,
    set: (time: number) => {
      now = time
    },
  }
}
const made = (options: DPoPOptions = {}) => dpopProofs({ clock: clock(), ...options })

describe('a proof', () => {
  it.each(['ES256', 'Ed25519'] as const)(
    'made with %s is one of RFC 9449 and can be verified',
    async (algorithm) => {
      const proofs = made({ algorithm })
      const { authorization, dpop } = await proofs.prove({ ...request, method: 'POST', url: `${API}?a=1#b` })
      expect(authorization).toBe('DPoP at')
      const [head, body, signature = ''] = dpop.split('.')
      const { jwk, ...header } = headerOf(dpop)
      expect(header).toEqual({ alg: algorithm, typ: 'dpop+jwt' })
      const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('at'))).toString('base64url')
      expect(claimsOf(dpop)).toEqual({
        htm: 'POST',
        htu: API,
        ath,
        iat: NOW / 1000,
        jti: expect.stringMatching(/^[\w-]{22}$/),
      })
      const parameters =
        algorithm === 'ES256'
          ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
          : { name: 'Ed25519', namedCurve: 'Ed25519' }
      const key = await crypto.subtle.importKey('jwk', jwk, parameters, false, ['verify'])
      const isValid = await crypto.subtle.verify(
        parameters,
        key,
        Buffer.from(signature, 'base64url'),
        Buffer.from(`${head}.${body}`),
      )
      expect(isValid).toBe(true)
    },
  )

  it('is never the same twice', async () => {
    const proofs = made()
    const all = await Promise.all(Array.from({ length: 100 }, () => proofs.prove(request)))
    expect(new Set(all.map(({ dpop }) => claimsOf(dpop).jti)).size).toBe(100)
  })

  it('is for the token of its own request', async () => {
    const proofs = made()
    const [one, other] = await Promise.all([
      proofs.prove(request),
      proofs.prove({ ...request, accessToken: 'other' }),
    ])
    expect(claimsOf(one.dpop).ath).not.toBe(claimsOf(other.dpop).ath)
    expect(claimsOf((await proofs.prove(request)).dpop).ath).toBe(claimsOf(one.dpop).ath)
  })
})

describe('a nonce', () => {
  const demand = (nonce: string) =>
    answered(401, { 'dpop-nonce': nonce, 'www-authenticate': 'DPoP error="use_dpop_nonce"' })

  it('is used from the answer that asks for it, and not tried a second time', async () => {
    const proofs = made()
    const first = await proofs.prove(request)
    expect(proofs.heed(first, demand('n1'))).toBe('again')
    const second = await proofs.prove(request)
    expect(claimsOf(second.dpop).nonce).toBe('n1')
    expect(proofs.heed(second, demand('n1'))).toBeUndefined()
  })

  it('that another answer brought meanwhile is worth another try', async () => {
    const proofs = made()
    const [one, other] = [await proofs.prove(request), await proofs.prove(request)]
    expect(proofs.heed(one, demand('n1'))).toBe('again')
    expect(proofs.heed(other, demand('n1'))).toBe('again')
  })

  it('is renewed by any answer', async () => {
    const proofs = made()
    expect(proofs.heed(await proofs.prove(request), answered(200, { 'dpop-nonce': 'n2' }))).toBeUndefined()
    expect(claimsOf((await proofs.prove(request)).dpop).nonce).toBe('n2')
  })

  it('is demanded by a bare 401 with a new nonce, if the challenge is hidden from the page', async () => {
    const proofs = made()
    expect(proofs.heed(await proofs.prove(request), answered(401, { 'dpop-nonce': 'n' }))).toBe('again')
  })

  it('does not make a 401 about the token worth another try', async () => {
    const proofs = made()
    const answer = answered(401, { 'dpop-nonce': 'n', 'www-authenticate': 'DPoP error="invalid_token"' })
    expect(proofs.heed(await proofs.prove(request), answer)).toBeUndefined()
  })

  it('belongs to its origin', async () => {
    const proofs = made()
    proofs.heed(await proofs.prove(request), demand('n'))
    const elsewhere = await proofs.prove({ ...request, url: 'https://other.example.com/' })
    expect(claimsOf(elsewhere.dpop).nonce).toBeUndefined()
  })

  it.each(['', 'a b', 'a"b', 'ü', 'x'.repeat(2_049)])(
    'that breaks the rules is dropped: %j',
    async (nonce) => {
      const proofs = made()
      proofs.heed(await proofs.prove(request), answered(200, { 'dpop-nonce': nonce }))
      expect(claimsOf((await proofs.prove(request)).dpop).nonce).toBeUndefined()
    },
  )

  it('is kept for the hundred newest servers', async () => {
    const proofs = made()
    for (let index = 0; index <= 100; index++) {
      const proof = await proofs.prove({ ...request, url: `https://api-${index}.example.com/` })
      proofs.heed(proof, answered(200, { 'dpop-nonce': `n${index}` }))
    }
    const nonceAt = async (index: number) =>
      claimsOf((await proofs.prove({ ...request, url: `https://api-${index}.example.com/` })).dpop).nonce
    expect([await nonceAt(0), await nonceAt(1), await nonceAt(100)]).toEqual([undefined, 'n1', 'n100'])
  })
})

describe('the time of a proof', () => {
  const posted = { ...request, method: 'POST' }
  const dated = (status: number, at: number, more = {}) =>
    answered(status, { date: new Date(at).toUTCString(), ...more })
  const iat = async (proofs: ReturnType<typeof made>) =>
    claimsOf((await proofs.prove(request)).dpop).iat * 1_000

  it('follows the clock of the server if they differ by more than five seconds', async () => {
    const proofs = made()
    proofs.heed(await proofs.prove(posted), dated(200, NOW + 5_000))
    expect(await iat(proofs)).toBe(NOW)
    const other = made()
    other.heed(await other.prove(posted), dated(200, NOW - 600_000))
    expect(await iat(other)).toBe(NOW - 600_000)
  })

  it('is the median of five, so that one slow answer changes nothing', async () => {
    const proofs = made()
    for (const late of [0, 0, 0, 60_000, 60_000])
      proofs.heed(await proofs.prove(posted), dated(200, NOW - late))
    expect(await iat(proofs)).toBe(NOW)
    proofs.heed(await proofs.prove(posted), dated(200, NOW - 60_000))
    expect(await iat(proofs)).toBe(NOW - 60_000)
  })

  it('is worth one more try after invalid_dpop_proof, if it was wrong', async () => {
    const proofs = made()
    const refusal = { 'www-authenticate': 'DPoP error="invalid_dpop_proof"' }
    const first = await proofs.prove(request)
    expect(proofs.heed(first, dated(401, NOW + 600_000, refusal))).toBe('again')
    const second = await proofs.prove(request)
    expect(proofs.heed(second, dated(401, NOW + 600_000, refusal))).toBeUndefined()
  })

  it('follows the answer that refused a proof, because the clock may have been set since', async () => {
    const { proofs, set } = withClock()
    for (let time = 0; time < 5; time++) proofs.heed(await proofs.prove(posted), dated(200, NOW))
    set(NOW + 3_600_000)
    const refusal = { 'www-authenticate': 'DPoP error="invalid_dpop_proof"' }
    expect(proofs.heed(await proofs.prove(request), dated(401, NOW, refusal))).toBe('again')
    expect(await iat(proofs)).toBe(NOW)
    // An answer that asks for a nonce only says nothing about the time.
    set(NOW)
    const nonce = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n' }
    for (let time = 0; time < 5; time++) proofs.heed(await proofs.prove(posted), dated(200, NOW))
    proofs.heed(await proofs.prove(request), dated(401, NOW - 60_000, nonce))
    expect(await iat(proofs)).toBe(NOW)
  })

  it.each(['', 'tomorrow', 'x'.repeat(101)])('is not changed by the date %j', async (date) => {
    const proofs = made()
    proofs.heed(await proofs.prove(posted), answered(200, { date }))
    expect(await iat(proofs)).toBe(NOW)
  })

  it('is known from one server at another', async () => {
    const proofs = made()
    proofs.heed(await proofs.prove(posted), dated(200, NOW + 600_000))
    const elsewhere = await proofs.prove({ ...request, url: 'https://other.example.com/' })
    expect(claimsOf(elsewhere.dpop).iat * 1_000).toBe(NOW + 600_000)
  })

  it.each(['GET', 'HEAD'])(
    'is not learned from an answer to %s that a cache may have kept',
    async (method) => {
      const proofs = made()
      proofs.heed(await proofs.prove({ ...request, method }), dated(200, NOW - 1_800_000))
      expect(await iat(proofs)).toBe(NOW)
    },
  )

  it('is that of this machine if a server refuses it and does not say its own', async () => {
    const proofs = made()
    proofs.heed(await proofs.prove(posted), dated(200, NOW + 600_000))
    const refusal = { 'www-authenticate': 'DPoP error="invalid_dpop_proof"' }
    expect(proofs.heed(await proofs.prove(posted), answered(401, refusal))).toBe('again')
    expect(await iat(proofs)).toBe(NOW)
  })

  it('is not learned from a proof of somewhere else', async () => {
    const proofs = made()
    expect(proofs.heed({ authorization: '', dpop: '' }, dated(200, NOW + 600_000))).toBeUndefined()
    expect(await iat(proofs)).toBe(NOW)
  })
})

describe('the key', () => {
  it('is made once, whoever asks first', async () => {
    const { store, steps } = mapStore()
    const proofs = made({ keys: store })
    const ids = await Promise.all([
      proofs.keyId(),
      proofs.keyId(),
      proofs.prove(request).then(() => proofs.keyId()),
    ])
    expect(new Set(ids).size).toBe(1)
    expect(steps.filter((step) => step === 'add')).toEqual(['add'])
  })

  it('of another tab counts if both make one at the same time', async () => {
    const { store } = mapStore()
    const tabs = Array.from({ length: 10 }, () => made({ keys: store }))
    const ids = await Promise.all(tabs.map((tab) => tab.keyId()))
    expect(new Set(ids).size).toBe(1)
  })

  it('cannot be exported by default, and is a JWK for stores of text', async () => {
    const { store, keys } = mapStore()
    await made({ keys: store, id: 'pair' }).keyId()
    await made({ keys: store, id: 'text', exportable: true }).keyId()
    expect((keys.get('pair') as CryptoKeyPair).privateKey.extractable).toBe(false)
    const text = JSON.stringify(keys.get('text'))
    expect(JSON.parse(text)).toMatchObject({ kty: 'EC', crv: 'P-256', d: expect.any(String) })

    keys.set('text', JSON.parse(text))
    const again = made({ keys: store, id: 'text' })
    expect(JSON.stringify(headerOf((await again.prove(request)).dpop))).not.toContain('"d"')
    expect(await again.keyId()).toMatch(/^[\w-]{43}$/)
  })

  it('has the thumbprint of RFC 7638', async () => {
    // RFC 8037, appendix A.3.
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    }
    const proofs = made({ keys: { get: () => jwk, add: () => 'exists', remove() {} } })
    expect(await proofs.keyId()).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('is looked up again if a session is bound to another one', async () => {
    const { store, steps } = mapStore()
    const proofs = made({ keys: store })
    const id = await proofs.keyId()
    steps.length = 0
    await proofs.prove({ ...request, keyId: id })
    expect(steps).toEqual([])
    await proofs.prove({ ...request, keyId: 'another' })
    expect(await proofs.keyId('another')).toBe(id)
    expect(steps).toEqual(['get', 'get'])
    // The store may have lost it.
    expect(await proofs.keyId(id)).toBe(id)
    expect(steps).toEqual(['get', 'get', 'get'])
  })

  it('is removed by forget, and the next one is another', async () => {
    const { store, keys } = mapStore()
    const proofs = made({ keys: store })
    const id = await proofs.keyId()
    const removed = proofs.forget?.()
    const next = proofs.keyId()
    await removed
    expect(await next).not.toBe(id)
    expect(keys.size).toBe(1)
  })

  it('of the next session is not removed with that of the last one', async () => {
    const { store, keys } = mapStore()
    const [here, there] = [made({ keys: store }), made({ keys: store })]
    const ended = await here.keyId()
    await there.keyId()

    // Both tabs notice the sign-out, one of them late.
    await here.forget?.(ended)
    const next = await here.keyId()
    await there.forget?.(ended, true)

    expect(next).not.toBe(ended)
    expect(await there.keyId()).toBe(next)
    expect(keys.size).toBe(1)
  })

  it('stays in memory on a server, where sessions may share it', async () => {
    const proofs = made()
    const id = await proofs.keyId()
    await proofs.forget?.()
    expect(await proofs.keyId()).toBe(id)
  })

  it.each([{}, { kty: 'RSA', n: 'a', e: 'b' }, { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }])(
    'that is something else is a StorageError: %j',
    async (key) => {
      const proofs = made({ keys: { get: () => key, add: () => 'exists', remove() {} } })
      await expect(proofs.keyId()).rejects.toMatchObject({ code: 'storage_failed', reason: 'invalid_key' })
    },
  )

  it('whose store fails is looked up again at the next request', async () => {
    const { store } = mapStore()
    let fails = true
    const proofs = made({
      keys: { ...store, get: (id) => (fails ? Promise.reject(new Error('down')) : store.get(id)) },
    })
    await expect(proofs.prove(request)).rejects.toThrow('down')
    fails = false
    expect((await proofs.prove(request)).dpop).toBeTruthy()
  })

  it.each(['get', 'remove'] as const)(
    'whose store does not answer (%s) is looked up again after two seconds',
    async (method) => {
      const { store } = mapStore()
      let now = NOW
      let hang: (() => void) | undefined
      const keys: KeyStore = {
        ...store,
        [method](id: string, key: DPoPKey) {
          if (!hang) return store[method](id, key)
          hang()
          return new Promise(() => {})
        },
      }
      const proofs = made({ keys, clock: { ...clock(), now: () => now } })
      await proofs.keyId()
      const asked = new Promise<void>((resolve) => {
        hang = resolve
      })
      if (method === 'remove') proofs.forget?.()
      void proofs.keyId()
      await asked
      hang = undefined

      now += 2_000

      expect(await proofs.keyId()).toEqual(expect.any(String))
    },
  )

  it('that vanishes in the moment it is made is a StorageError', async () => {
    const proofs = made({ keys: { get: () => undefined, add: () => 'exists', remove() {} } })
    await expect(proofs.keyId()).rejects.toMatchObject({ reason: 'key_removed' })
  })
})

describe('proofs.fetch', () => {
  /** A token endpoint that gives these answers. */
  function endpoint(...answers: { status: number; body?: unknown; nonce?: string; date?: number }[]) {
    const sent: { url: string; init: RequestInit; claims: Record<string, unknown> }[] = []
    const fetch = (async (url: string, init: RequestInit) => {
      sent.push({ url, init, claims: claimsOf(new Headers(init.headers).get('dpop') ?? '') })
      const { status, body = {}, nonce, date } = answers.shift()!
      const headers = new Headers({ 'content-type': 'application/json' })
      if (nonce) headers.set('dpop-nonce', nonce)
      if (date) headers.set('date', new Date(date).toUTCString())
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
    }) as typeof globalThis.fetch
    return { fetch, sent }
  }
  const url = 'https://id.example.com/token?x=1'
  const init = {
    method: 'post',
    body: new URLSearchParams({ grant_type: 'refresh_token' }),
    headers: { a: 'b' },
  }

  it('sends a proof without a token, and once more for a nonce', async () => {
    const { fetch, sent } = endpoint(
      { status: 400, body: { error: 'use_dpop_nonce' }, nonce: 'n' },
      { status: 200, body: { access_token: 'at' } },
    )
    const answer = await made().fetch(url, init, fetch)
    expect(await answer.json()).toEqual({ access_token: 'at' })
    expect(sent.map(({ claims }) => claims)).toMatchObject([
      { htm: 'POST', htu: 'https://id.example.com/token' },
      { htm: 'POST', htu: 'https://id.example.com/token', nonce: 'n' },
    ])
    expect(sent[0]!.claims).not.toHaveProperty('ath')
    expect(sent[1]!.init.body).toBe(init.body)
    expect(new Headers(sent[1]!.init.headers).get('a')).toBe('b')
  })

  it('never presents a refresh token again after another error, and leaves the body to its reader', async () => {
    const { fetch, sent } = endpoint({ status: 400, body: { error: 'invalid_grant' }, nonce: 'n' })
    const answer = await made().fetch(url, init, fetch)
    expect(await answer.json()).toEqual({ error: 'invalid_grant' })
    expect(sent).toHaveLength(1)
  })

  it.each([
    ['the same nonce twice', { status: 400, body: { error: 'use_dpop_nonce' }, nonce: 'n' }],
    ['a demand without a nonce', { status: 400, body: { error: 'use_dpop_nonce' } }],
    ['a refusal of the proof without a reason', { status: 401, body: { error: 'invalid_dpop_proof' } }],
    ['a page of a proxy', { status: 400, body: '<html>use_dpop_nonce</html>' }],
    ['a list', { status: 400, body: '["use_dpop_nonce"]' }],
  ])('returns %s to the caller after two requests at most', async (_, answer) => {
    const { fetch, sent } = endpoint(answer, answer, answer)
    const { status } = await made().fetch(url, init, fetch)
    expect(status).toBe(answer.status)
    expect(sent.length).toBe('nonce' in answer ? 2 : 1)
  })

  it('corrects a wrong clock in the second request', async () => {
    const { fetch, sent } = endpoint(
      { status: 400, body: { error: 'invalid_dpop_proof' }, date: NOW + 600_000 },
      { status: 200 },
    )
    await made().fetch(url, init, fetch)
    expect(sent.map(({ claims }) => claims.iat)).toEqual([NOW / 1_000, NOW / 1_000 + 600])
  })

  it('corrects a clock that was set after other answers', async () => {
    const { proofs, set } = withClock()
    const fine = { status: 200, date: NOW }
    const refused = { status: 400, body: { error: 'invalid_dpop_proof' }, date: NOW }
    const { fetch, sent } = endpoint(fine, fine, fine, refused, fine)
    for (let time = 0; time < 3; time++) await proofs.fetch(url, init, fetch)
    set(NOW + 3_600_000)
    expect((await proofs.fetch(url, init, fetch)).status).toBe(200)
    expect(sent.slice(3).map(({ claims }) => claims.iat)).toEqual([NOW / 1_000 + 3_600, NOW / 1_000])
  })

  it('has nonces apart from those of an API at the same origin', async () => {
    const { fetch } = endpoint({ status: 200, nonce: 'token' })
    const proofs = made()
    await proofs.fetch(url, init, fetch)
    const { dpop } = await proofs.prove({ ...request, url: 'https://id.example.com/userinfo' })
    expect(claimsOf(dpop).nonce).toBeUndefined()
  })

  it('reads the key from its store, because another tab may have replaced it', async () => {
    const { store, keys } = mapStore()
    const { fetch, sent } = endpoint({ status: 200 }, { status: 200 })
    const proofs = made({ keys: store })
    await proofs.fetch(url, init, fetch)
    keys.clear()
    const other = await made({ keys: store }).keyId()
    await proofs.fetch(url, init, fetch)
    expect(await proofs.keyId(other)).toBe(other)
    expect(sent).toHaveLength(2)
  })
})

it('a key of a session is returned with the JSON of an answer: a Response has no place for it', async () => {
  const { proofKey } = await dpopProofs({ perSession: true }).forSession(undefined, async () => ({}))
  expect(proofKey).toMatchObject({ kty: 'EC', d: expect.any(String) })
  // @ts-expect-error
  void dpopProofs().forSession(undefined, async () => new Response())
})

it.each([{ kty: 'EC' }, {}, 'text'])('a key of a session that is none (%j) is not used', async (proofKey) => {
  const proofs = dpopProofs({ perSession: true })
  const invalid = { code: 'storage_failed', reason: 'invalid_key' }
  const task = (fetch: (url: string, init: RequestInit) => Promise<Response>) =>
    fetch(API, {}).then(() => ({}))
  const key = proofKey as object
  // Vitest fails on a rejection that nothing handles.
  await expect(proofs.forSession({ proofKey: key }, task)).rejects.toMatchObject(invalid)
  await expect(proofs.prove({ ...request, proofKey: key })).rejects.toMatchObject(invalid)
})
