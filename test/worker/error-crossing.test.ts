import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  AuthError,
  createAuth,
  DisposedError,
  HoldTimeoutError,
  InvalidTokenResponseError,
  QueueFullError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionExpiredError,
  SignedOutError,
  SignInTimeoutError,
  StorageError,
  TokenConfinedError,
  WorkerError,
} from '../../src/index.ts'
import { exposeError } from '../../src/worker/expose-error.ts'
import { packError } from '../../src/worker/pack-error.ts'
import { unpackError } from '../../src/worker/unpack-error.ts'
import { connected } from './in-process.ts'

const cross = async (error: unknown) => unpackError(structuredClone(await packError(error)))

describe('an error that crosses from the worker to the page', () => {
  const cause = new Error('The token endpoint answered 503')
  it.each<[AuthError]>([
    [new SessionExpiredError({ reason: 'invalid_grant', cause })],
    [new SignedOutError({ reason: 'user_changed' })],
    [new RefreshUnavailableError({ reason: 'server_error', cause })],
    [new RefreshTimeoutError({ reason: 'timeout' })],
    [new SignInTimeoutError()],
    [new HoldTimeoutError()],
    [new QueueFullError(12)],
    [new InvalidTokenResponseError('no_access_token')],
    [new StorageError('storage_failed', { reason: 'QuotaExceededError' })],
    [new DisposedError()],
    [new TokenConfinedError()],
    [new WorkerError({ reason: 'gone' })],
  ])('keeps its class, message, reason and cause: %s', async (error) => {
    const crossed = (await cross(error)) as AuthError
    expect(crossed).toBeInstanceOf(error.constructor)
    expect(crossed).toBeInstanceOf(AuthError)
    const facts = ({ name, code, reason, message }: AuthError) => ({ name, code, reason, message })
    expect(facts(crossed)).toEqual(facts(error))
    expect((crossed.cause as Error | undefined)?.message).toBe((error.cause as Error | undefined)?.message)
    expect(crossed.stack).toContain(error.message)
    expect(crossed.stack).not.toContain('[object')
  })

  it('keeps its class if that is a built-in class', async () => {
    const failed = await cross(
      new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }),
    )
    expect(failed).toBeInstanceOf(TypeError)
    // Clients recognize a network that fails by the text of the platform.
    expect(failed).toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: { code: 'ECONNREFUSED' },
    })
    const aborted = await cross(new DOMException('stopped', 'AbortError'))
    expect(aborted).toBeInstanceOf(DOMException)
    expect(aborted).toMatchObject({ name: 'AbortError' })
  })

  it('keeps the fields of the allow-list, and nothing else', async () => {
    class HTTPError extends Error {
      override name = 'HTTPError'
      readonly status = 400
      readonly error = 'invalid_grant'
      readonly error_description = 'Unknown user'
      readonly code = 'account_locked'
      readonly config = { headers: { authorization: 'Bearer secret' } }
    }
    const crossed = await cross(new HTTPError('refused'))
    expect(crossed).toBeInstanceOf(Error)
    expect({ ...(crossed as object) }).toEqual({
      status: 400,
      error: 'invalid_grant',
      error_description: 'Unknown user',
      code: 'account_locked',
    })
    expect((crossed as Error).name).toBe('HTTPError')
    expect(await cross({ error: 'invalid_grant', access_token: 'at-secret', n: 1 })).toEqual({
      error: 'invalid_grant',
    })
  })

  it.each<[string, (secret: string) => unknown]>([
    ['a message', (secret) => new Error(`Signed in, but ${secret} cannot be read`)],
    ['a cause', (secret) => new TypeError('failed', { cause: new Error(secret) })],
    ['a name', (secret) => Object.assign(new Error('failed'), { name: secret })],
    ['a text', (secret) => `no ${secret}`],
    ['any field', (secret) => ({ error: 'failed', at: secret, deep: [secret] })],
    ['the name of a field', (secret) => ({ error: 'failed', [secret]: 1 })],
    ['a code that is a sentence', (secret) => ({ error: `no ${secret}`, code: [secret] })],
    ['a description with a token', (secret) => ({ error_description: `Bearer ${secret}` })],
    ['a reason', (secret) => new SessionExpiredError({ reason: `no ${secret}` })],
    ['an own error with a message', (secret) => new StorageError(secret)],
    ['an own error with a problem', (secret) => new InvalidTokenResponseError(secret)],
    ['XML', (secret) => new Response(`<access>${secret}</access>`, { status: 400 })],
    ['JSON within JSON', (secret) => Response.json({ up: JSON.stringify({ secret }) }, { status: 400 })],
    ['a header', (secret) => new Response(null, { status: 400, headers: { 'x-token': secret } })],
    ['a status text', (secret) => new Response(null, { status: 400, statusText: secret })],
    ['the answer to a sign-in', (secret) => Response.json({ error: secret })],
    [
      'a getter that throws',
      (secret) => ({
        get error() {
          throw new Error(secret)
        },
      }),
    ],
  ])('carries no foreign text: %s', async (_, thrown) => {
    const secret = 'opaque+secret/1='
    const packed = await packError(thrown(secret))
    expect(JSON.stringify(packed)).not.toContain('opaque')
    expect(unpackError(structuredClone(packed))).toBeDefined()
  })

  it('is a WorkerError if nothing that may cross says what it is', async () => {
    for (const thrown of ['text', 7, null, undefined, new Error('x'), Symbol('s'), () => {}, {}]) {
      expect(await cross(thrown)).toMatchObject({ code: 'worker_failed', reason: 'thrown' })
    }
  })

  it('is cut off if it contains circular references', async () => {
    const error: Error & { cause?: unknown } = new TypeError('round')
    error.cause = error
    expect(await cross(error)).toMatchObject({ name: 'TypeError', cause: { name: 'TypeError' } })
  })

  it('stays a Response, with the allow-list of its JSON', async () => {
    const refusal = Response.json(
      { error: 'invalid_grant', code: 'account_locked', refresh_token: 'rt-secret' },
      { status: 400, headers: { 'retry-after': '7', 'set-cookie': 'rt=secret' } },
    )
    const crossed = (await cross(refusal)) as Response
    expect(crossed).toBeInstanceOf(Response)
    expect([crossed.status, crossed.headers.get('retry-after'), crossed.headers.get('set-cookie')]).toEqual([
      400,
      '7',
      null,
    ])
    expect(await crossed.json()).toEqual({ error: 'invalid_grant', code: 'account_locked' })
    const used = new Response('body', { status: 500 })
    await used.text()
    expect(await ((await cross(used)) as Response).text()).toBe('')
  })

  it('does not wait for an error body that never ends', async () => {
    let chunks = 0
    const endless = new Response(
      new ReadableStream({
        pull(controller) {
          chunks++
          controller.enqueue(new Uint8Array(10_000))
        },
      }),
      { status: 500 },
    )
    expect(((await cross(endless)) as Response).status).toBe(500)
    expect(chunks).toBeLessThan(20)
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const silent = cross(new Response(new ReadableStream(), { status: 503 }))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(((await silent) as Response).status).toBe(503)
  })

  it('crosses whole if the app exposed it', async () => {
    const locked = exposeError(Object.assign(new RangeError('This account is locked.'), { until: 7 }))
    expect(await cross(locked)).toMatchObject({
      name: 'RangeError',
      message: 'This account is locked.',
      until: 7,
    })
    expect(await cross(exposeError({ problem: 'captcha', image: [1, 2] }))).toEqual({
      problem: 'captcha',
      image: [1, 2],
    })
    const page = exposeError(new Response('locked', { status: 423, headers: { 'x-why': 'tries' } }))
    const crossed = (await cross(page)) as Response
    expect([crossed.status, crossed.headers.get('x-why'), await crossed.text()]).toEqual([
      423,
      'tries',
      'locked',
    ])
    // What cannot be copied crosses like any other error.
    expect(await cross(exposeError(Object.assign(new Error('x'), { f() {} })))).toMatchObject({
      reason: 'thrown',
    })
    const polluted = exposeError(Object.assign(new Error('x'), JSON.parse('{"__proto__":{"polluted":1}}')))
    expect((await cross(polluted)) as { polluted?: number }).not.toHaveProperty('polluted')
  })
})

describe('a sign-in from the page', () => {
  const start = (signIn: (credentials: unknown) => never) => {
    const auth = createAuth({ signIn, refresh: () => ({}) })
    onTestFinished(() => auth.dispose())
    return connected(auth, { origins: ['https://api.example.com'] })
  }

  it('rejects with the class and the known fields of what signIn threw', async () => {
    const page = start(() => {
      throw Object.assign(new RangeError('too many tries'), { status: 429 })
    })
    const error = await page.signIn('ada').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ status: 429 })
    expect(page.state).toBe('anonymous')
  })

  it('rejects at once if its credentials cannot be cloned', async () => {
    const page = start(() => expect.unreachable())
    await expect(page.signIn({ ask: () => 'password' })).rejects.toMatchObject({ name: 'DataCloneError' })
  })
})
