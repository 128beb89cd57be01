import { describe, expect, it, onTestFinished } from 'vitest'
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
import { packError } from '../../src/worker/pack-error.ts'
import { unpackError } from '../../src/worker/unpack-error.ts'
import { connected } from './in-process.ts'

const cross = async (error: unknown) => unpackError(structuredClone(await packError(error)))

describe('an error that crosses from the worker to the page', () => {
  const cause = new Error('underneath')
  it.each<[AuthError]>([
    [new SessionExpiredError({ reason: 'invalid_grant', cause })],
    [new SignedOutError({ reason: 'user_changed' })],
    [new RefreshUnavailableError({ reason: 'server_error', cause })],
    [new RefreshTimeoutError({ reason: 'timeout' })],
    [new SignInTimeoutError()],
    [new HoldTimeoutError()],
    [new QueueFullError(12)],
    [new InvalidTokenResponseError('there is none')],
    [new StorageError('full', { reason: 'QuotaExceededError' })],
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
    expect(failed).toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: { code: 'ECONNREFUSED' },
    })
    const aborted = await cross(new DOMException('stopped', 'AbortError'))
    expect(aborted).toBeInstanceOf(DOMException)
    expect(aborted).toMatchObject({ name: 'AbortError', message: 'stopped' })
  })

  it('keeps its name and known fields if its class is unknown', async () => {
    class HTTPError extends Error {
      override name = 'HTTPError'
      readonly status = 400
      readonly error = 'invalid_grant'
      readonly config = { headers: { authorization: 'Bearer secret' } }
    }
    const crossed = await cross(new HTTPError('refused'))
    expect(crossed).toBeInstanceOf(Error)
    expect(crossed).toMatchObject({
      name: 'HTTPError',
      message: 'refused',
      status: 400,
      error: 'invalid_grant',
    })
    expect(crossed).not.toHaveProperty('config')
  })

  it('is redacted wherever it may contain a token', async () => {
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'
    const texts = [
      `saw ${jwt}`,
      'Bearer at-1-secret',
      'refresh_token=rt-secret&x=1',
      '{"access_token":"at-secret"}',
    ]
    for (const text of texts) {
      const crossed = (await cross(new Error(text, { cause: new Error(text) }))) as Error
      for (const { message } of [crossed, crossed.cause as Error]) {
        expect(message).toContain('[redacted]')
        expect(message).not.toMatch(/secret|eyJ/)
      }
    }
    const plain = await cross({
      error: 'invalid_grant',
      access_token: 'at-secret',
      deep: { id_token: jwt, list: [jwt] },
      n: 1,
      f() {},
    })
    expect(plain).toEqual({
      error: 'invalid_grant',
      access_token: '[redacted]',
      deep: { id_token: '[redacted]', list: ['[redacted]'] },
      n: 1,
      f: undefined,
    })
  })

  it('is cut off if it contains circular references', async () => {
    const error: Error & { cause?: unknown } = new Error('round')
    error.cause = error
    const loop: Record<string, unknown> = { name: 'loop' }
    loop.loop = loop
    expect(await cross(error)).toMatchObject({ message: 'round' })
    expect(await cross(loop)).toMatchObject({ name: 'loop' })
  })

  it('stays a Response, with the body of an error response', async () => {
    const refusal = Response.json(
      { error: 'invalid_grant', refresh_token: 'rt-secret' },
      { status: 400, headers: { 'retry-after': '7', 'set-cookie': 'rt=secret' } },
    )
    const crossed = (await cross(refusal)) as Response
    expect(crossed).toBeInstanceOf(Response)
    expect([crossed.status, crossed.headers.get('retry-after'), crossed.headers.get('set-cookie')]).toEqual([
      400,
      '7',
      null,
    ])
    expect(await crossed.json()).toEqual({ error: 'invalid_grant', refresh_token: '[redacted]' })
    const used = new Response('body', { status: 500 })
    await used.text()
    expect(await ((await cross(used)) as Response).text()).toBe('')
    // The response of a successful sign-in, thrown nevertheless.
    expect(await ((await cross(Response.json({ t: 'secret' }))) as Response).text()).toBe('')
  })
})

describe('a sign-in from the page', () => {
  const start = (signIn: (credentials: unknown) => never) => {
    const auth = createAuth({ signIn, refresh: () => ({}) })
    onTestFinished(() => auth.dispose())
    return connected(auth, { origins: ['https://api.example.com'] })
  }

  it('rejects with the error that signIn threw', async () => {
    const page = start(() => {
      throw Object.assign(new RangeError('too many tries'), { status: 429 })
    })
    const error = await page.signIn('ada').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'too many tries', status: 429 })
    expect(page.state).toBe('anonymous')
  })

  it('rejects at once if its credentials cannot be cloned', async () => {
    const page = start(() => expect.unreachable())
    await expect(page.signIn({ ask: () => 'password' })).rejects.toMatchObject({ name: 'DataCloneError' })
  })
})
