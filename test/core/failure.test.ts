import { describe, expect, it } from 'vitest'
import { InvalidTokenResponseError, StorageError } from '../../src/core/errors.ts'
import { classifyFailure } from '../../src/core/session/failure.ts'

const NOW = 1_700_000_000_000

const classify = (error: unknown, more: Partial<Parameters<typeof classifyFailure>[1]> = {}) =>
  classifyFailure(error, { now: NOW, offline: false, signal: new AbortController().signal, ...more })

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
const html = (status: number) =>
  new Response('\n <!doctype html><title>Sign in</title>', {
    status,
    headers: { 'content-type': 'text/html' },
  })

describe('an answer of the token endpoint', () => {
  it.each([
    'invalid_grant',
    'invalid_client',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
    'invalid_request',
    'invalid_token',
    'access_denied',
    'expired_token',
    'bad_refresh_token',
    'interaction_required',
    'login_required',
    'consent_required',
    'account_selection_required',
  ])('ends the session if it contains the error %s, for any 4xx', async (error) => {
    for (const status of [400, 401, 403]) {
      expect(await classify(json(status, { error }))).toMatchObject({
        fatal: true,
        ambiguous: false,
        reason: error,
        status,
      })
    }
    // GitHub answers with status 200.
    expect(await classify({ error })).toMatchObject({ fatal: true, reason: error, status: undefined })
  })

  it.each([408, 425, 429, 500, 502, 503, 504])(
    'allows a retry if its status is %i, whatever its body',
    async (status) => {
      const reason = status === 429 ? 'rate_limited' : 'server_error'
      for (const answer of [
        json(status, { error: 'invalid_grant' }),
        json(status, {}),
        html(status),
        new Response(null, { status }),
      ]) {
        expect(await classify(answer)).toMatchObject({ fatal: false, ambiguous: false, reason, status })
      }
    },
  )

  it.each(['temporarily_unavailable', 'server_error', 'slow_down', 'use_dpop_nonce'])(
    'allows a retry if it contains the error %s, for any status',
    async (error) => {
      for (const status of [400, 401, 503]) {
        expect(await classify(json(status, { error }))).toMatchObject({
          fatal: false,
          reason: 'server_error',
          status,
        })
      }
    },
  )

  it.each([400, 403, 404])('allows a retry if its status is %i without an OAuth error', async (status) => {
    for (const answer of [json(status, {}), html(status), json(status, { error: 'something_else' })]) {
      expect(await classify(answer)).toMatchObject({
        fatal: false,
        ambiguous: false,
        reason: 'server_error',
        status,
      })
    }
  })

  it.each([
    ['an empty body', new Response(null, { status: 401 })],
    ['some JSON', json(401, { message: 'Unauthorized' })],
    ['some text', new Response('no', { status: 401 })],
  ])('ends the session if it is a 401 with %s', async (_, answer) => {
    expect(await classify(answer)).toMatchObject({ fatal: true, reason: 'refresh_rejected', status: 401 })
  })

  it('allows a retry if it is a 401 with the HTML page of a proxy', async () => {
    expect(await classify(html(401))).toMatchObject({ fatal: false, reason: 'server_error', status: 401 })
  })

  it('allows a retry if it is a 400 in the error format of an app framework', async () => {
    expect(await classify({ statusCode: 400, message: ['x'], error: 'Bad Request' })).toMatchObject({
      fatal: false,
      reason: 'server_error',
      status: 400,
    })
  })

  it('is left unread for its owner, and is classified by its status if it was already read', async () => {
    const answer = json(400, { error: 'invalid_grant' })
    await classify(answer)
    expect(await answer.json()).toEqual({ error: 'invalid_grant' })
    expect(await classify(answer)).toMatchObject({ fatal: false, reason: 'server_error', status: 400 })
  })

  it('is classified by its status if its body breaks off', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.error(new Error('cut')),
    })
    expect(await classify(new Response(body, { status: 400 }))).toMatchObject({ fatal: false, status: 400 })
  })

  it('is classified by its status if its body is not valid JSON', async () => {
    expect(await classify(new Response('{"error": "invalid_', { status: 400 }))).toMatchObject({
      fatal: false,
      status: 400,
    })
  })
})

describe('a thrown error', () => {
  it.each([
    ['a string', 'invalid_grant'],
    ['the message of an Error', new Error('invalid_grant')],
    ['the prose of an Error', new Error('Refresh failed: invalid_grant (token revoked)')],
    ['a code', Object.assign(new Error('no'), { code: 'invalid_grant' })],
    ['a body in data', { status: 400, data: { error: 'invalid_grant' } }],
    ['a body in data, as text', { status: 400, data: '{"error":"invalid_grant"}' }],
    ['a body in body', { statusCode: 400, body: { error: 'invalid_grant' } }],
    ['a code in the body', { status: 400, data: { code: 'invalid_grant' } }],
    [
      'a response it carries',
      Object.assign(new Error('HTTP 400'), { response: json(400, { error: 'invalid_grant' }) }),
    ],
    ['its cause', new Error('refresh', { cause: new Error('x', { cause: { error: 'invalid_grant' } }) })],
  ])('is fatal if it reports invalid_grant by %s', async (_, error) => {
    expect(await classify(error)).toMatchObject({ fatal: true, reason: 'invalid_grant' })
  })

  it('is not fatal if another error code only occurs in its message', async () => {
    expect(await classify(new Error('the login_required page could not be rendered'))).toMatchObject({
      fatal: false,
      reason: 'refresh_failed',
    })
  })

  it.each([
    ['a failed fetch', new TypeError('fetch failed'), 'network', true],
    ['a reset connection', new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }), 'network', true],
    [
      'a closed socket of undici',
      Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
      'network',
      true,
    ],
    [
      'axios without an answer',
      Object.assign(new Error('Network Error'), { code: 'ERR_NETWORK' }),
      'network',
      true,
    ],
    ['an abort', new DOMException('aborted', 'AbortError'), 'network', true],
    ['a timeout', new DOMException('too slow', 'TimeoutError'), 'timeout', true],
    ['a timeout of axios', Object.assign(new Error('timeout'), { code: 'ECONNABORTED' }), 'timeout', true],
    ['a timeout of the socket', Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }), 'timeout', true],
    [
      'a refused connection',
      new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }),
      'network',
      false,
    ],
    [
      'a refused connection in Deno',
      new TypeError('fetch failed', {
        cause: new Error(
          'error sending request for url (http://[::1]:1/): client error (Connect): tcp connect error',
        ),
      }),
      'network',
      false,
    ],
    [
      'a broken connection in Deno',
      new TypeError('error sending request for url (http://[::1]:1/): client error (SendRequest)'),
      'network',
      true,
    ],
    [
      'a broken connection in workerd',
      Object.assign(new Error('Network connection lost.'), { retryable: true }),
      'network',
      true,
    ],
    [
      'an unknown host in workerd',
      new Error('internal error; reference = efibcacuged8vi61h6k8'),
      'network',
      true,
    ],
    ['an unknown host', new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }), 'network', false],
    [
      'an unavailable resolver',
      new TypeError('fetch failed', { cause: { code: 'EAI_AGAIN' } }),
      'network',
      false,
    ],
    [
      'a connect timeout',
      Object.assign(new Error('x'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
      'network',
      false,
    ],
  ])(
    'of the network allows a retry, and reveals whether the token may have been sent: %s',
    async (_, error, reason, ambiguous) => {
      expect(await classify(error)).toMatchObject({ fatal: false, reason, ambiguous, status: undefined })
    },
  )

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a function', () => {}],
    ['an empty object', {}],
    ['an opaque response', { status: 0 }],
    ['an Error', new Error('whatever')],
  ])('without information allows a retry and is not ambiguous: %s', async (_, error) => {
    expect(await classify(error)).toMatchObject({ fatal: false, ambiguous: false, reason: 'refresh_failed' })
  })

  it('has the reason offline without a network', async () => {
    expect(await classify(new Error('whatever'), { offline: true })).toMatchObject({
      fatal: false,
      reason: 'offline',
    })
    expect(await classify(json(400, { error: 'invalid_grant' }), { offline: true })).toMatchObject({
      fatal: true,
      reason: 'invalid_grant',
    })
  })

  it('keeps its reason if it is an error of the library', async () => {
    expect(await classify(new InvalidTokenResponseError('it is odd'))).toMatchObject({
      fatal: false,
      reason: 'invalid_response',
    })
    expect(await classify(new StorageError('x'))).toMatchObject({ reason: 'refresh_failed' })
    const error = new SyntaxError('Unexpected token in JSON')
    expect(await classify(error)).toMatchObject({ fatal: false, reason: 'invalid_response' })
  })

  it('is classified even if its causes form a cycle', async () => {
    const error: { cause?: unknown; response?: unknown } = new Error('round')
    const other = { cause: error, response: error }
    error.cause = other
    error.response = other
    expect(await classify(error)).toMatchObject({ fatal: false, reason: 'refresh_failed' })
  })

  it('is searched for causes only to a limited depth', async () => {
    let error = new Error('x', { cause: { error: 'invalid_grant' } })
    for (let depth = 0; depth < 100; depth++) error = new Error('x', { cause: error })
    expect(await classify(error)).toMatchObject({ fatal: false })
  })
})

describe('isFatal', () => {
  it('is called with the error and with the classification by the library', async () => {
    const error = json(400, { error: 'invalid_grant' })
    const asked: unknown[] = []
    const other = new TypeError('fetch failed')
    const isFatal = (...given: unknown[]) => void asked.push(given)
    await classify(error, { isFatal: isFatal as never })
    await classify(other, { isFatal: isFatal as never })
    expect(asked).toContainEqual([other, { fatal: false, reason: 'network', status: undefined }])
    expect(asked.flat()).not.toContain(undefined)
  })

  it('may end a session that the library would keep', async () => {
    for (const error of [new Error('revoked by policy'), new TypeError('fetch failed'), json(503, {})]) {
      expect(await classify(error, { isFatal: () => true })).toMatchObject({
        fatal: true,
        ambiguous: false,
        reason: 'refresh_rejected',
      })
    }
    expect(await classify(json(503, { error: 'invalid_grant' }), { isFatal: () => true })).toMatchObject({
      fatal: true,
      reason: 'invalid_grant',
    })
  })

  it('leaves the decision to the library if it returns undefined', async () => {
    expect(await classify({ error: 'invalid_grant' }, { isFatal: () => undefined })).toMatchObject({
      fatal: true,
    })
    expect(await classify(new Error('x'), { isFatal: () => undefined })).toMatchObject({ fatal: false })
  })

  it('leaves the decision to the library if it throws', async () => {
    const isFatal = () => {
      throw new Error('in isFatal')
    }
    expect(await classify(new Error('x'), { isFatal })).toMatchObject({ fatal: false })
    expect(await classify({ error: 'invalid_grant' }, { isFatal })).toMatchObject({ fatal: true })
  })
})

describe('Retry-After', () => {
  const after = async (headers: unknown) => (await classify({ status: 503, headers })).retryAfter
  const inAMinute = new Date(NOW + 60_000).toUTCString()

  it.each<[string, unknown, number | undefined]>([
    ['a string of seconds', { 'Retry-After': '120' }, 120_000],
    ['a number of seconds', { 'retry-after': 120 }, 120_000],
    ['the first of a list', { 'retry-after': ['5', '9'] }, 5_000],
    ['in a Headers object', new Headers({ 'retry-after': '1' }), 1_000],
    ['a negative number', { 'retry-after': '-5' }, 0],
    ['a date', { 'retry-after': inAMinute }, 60_000],
    ['a date in the past', { 'retry-after': new Date(NOW - 60_000).toUTCString() }, 0],
    [
      'a date, counted from the clock of the server',
      { 'retry-after': inAMinute, date: new Date(NOW + 40_000).toUTCString() },
      20_000,
    ],
    ['a date beside an invalid Date header', { 'retry-after': inAMinute, date: 'x' }, 60_000],
    ['garbage', { 'retry-after': 'soon' }, undefined],
    ['blank', { 'retry-after': '  ' }, undefined],
    ['infinite', { 'retry-after': 'Infinity' }, undefined],
    ['an object', { 'retry-after': {} }, undefined],
    ['missing', {}, undefined],
    ['in headers that are a string', 'retry-after: 5', undefined],
    ['missing because there are no headers', null, undefined],
  ])('is parsed if it is %s', async (_, headers, expected) => {
    expect(await after(headers)).toBe(expected)
  })
})
