import { expect } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import fc from '../support/property.ts'
import { fuzz, settled } from './fuzz.ts'
import { createFuzzedAuth, SECRET } from './session.ts'

const API = 'https://api.example.com'

const word = fc.constantFrom(
  ...[
    'Bearer',
    'bearer',
    'Basic',
    'DPoP',
    'error=',
    'error="invalid_token"',
    '"insufficient_scope"',
    'scope="a"',
  ],
  ...[
    'max_age=',
    'max_age="1e999"',
    ',',
    ' ',
    '=',
    '"',
    '\\',
    '\\"',
    'error="jwt expired"',
    '__proto__="x"',
    'a',
  ],
)
const challenge = fc.oneof(
  fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
  fc
    .record({ words: fc.array(word, { minLength: 1, maxLength: 4 }), times: fc.nat(20_000) })
    .map(({ words, times }) => words.join('').repeat(times).slice(0, 100_000)),
  fc.string(),
)
const location = fc.oneof(
  fc.webUrl(),
  fc.string(),
  fc.constantFrom(
    ...[
      '/next',
      '//evil.example.net/',
      'https://api.example.com:444/',
      'http://api.example.com/',
      '',
      '#x',
      '?x',
    ],
    ...[
      'https://evil.api.example.com/',
      'https://a:b@api.example.com/x',
      'https://api.example.com@evil.example.net/',
    ],
    ...[
      '\\\\evil.example.net',
      'data:text/plain,x',
      'blob:https://api.example.com/x',
      'file:///etc/passwd',
      'http://[',
    ],
    ...['javascript:1', 'https:evil.example.net', `${API}/${'x'.repeat(100_000)}`],
  ),
)
const visible = (text: string) => text.replace(/[^\x20-\x7e]/g, '')
const answer = fc.record({
  status: fc.constantFrom(200, 204, 301, 302, 303, 304, 307, 308, 400, 401, 401, 403, 429, 500, 503),
  headers: fc.record(
    {
      'www-authenticate': challenge.map(visible),
      'retry-after': fc.oneof(
        fc.string().map(visible),
        fc.constantFrom('1', '1e300', '-1', '9'.repeat(1_000)),
      ),
      location: location.map(visible),
      'content-type': fc.string().map(visible),
      date: fc.string().map(visible),
    },
    { requiredKeys: [] },
  ),
})
const answers = fc.array(answer, { minLength: 1, maxLength: 30 })

/** A client's `fetch` that follows redirects with all headers, as a careless implementation does, and any scheme. */
function server(
  replies: readonly { readonly status: number; readonly headers: Partial<Record<string, string>> }[],
) {
  const sent: { readonly url: string; readonly token: string | null }[] = []
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input)
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
    sent.push({ url, token: headers.get('authorization') })
    const { status, headers: given } = replies[(sent.length - 1) % replies.length]!
    const reply = new Response([204, 304].includes(status) ? null : 'x', {
      status,
      headers: given as HeadersInit,
    })
    Object.defineProperty(reply, 'url', { value: url })
    return reply
  }
  return { sent, send: send as typeof fetch }
}

/** Each way to send one request through a transport. */
const ways: Record<string, (auth: never, send: typeof fetch) => Promise<unknown>> = {
  'fetch with a URL': (auth, send) => createAuthFetch(auth, { origins: [API], fetch: send })(`${API}/a`),
  'fetch with a form': (auth, send) =>
    createAuthFetch(auth, { origins: [API], fetch: send })(`${API}/a`, {
      method: 'POST',
      body: new URLSearchParams('a=1'),
    }),
  'fetch with a Request': (auth, send) =>
    createAuthFetch(auth, { origins: [API], fetch: send })(
      new Request(`${API}/a`, { method: 'PUT', body: 'x' }),
    ),
}

fuzz(
  'a request settles once, and its token stays in its origin, whatever the headers of its answers are',
  fc.record({
    replies: answers,
    way: fc.constantFrom(...Object.keys(ways)),
    count: fc.integer({ min: 1, max: 5 }),
  }),
  async ({ replies, way, count }) => {
    let refreshes = 0
    const session = createFuzzedAuth({
      initialTokens: { access_token: SECRET, refresh_token: SECRET, expires_in: 3_600 },
      refresh: () => ({ access_token: `${SECRET}-${++refreshes}`, expires_in: 3_600 }),
    })
    const { sent, send } = server(replies)
    const outcomes = Array.from({ length: count }, () => {
      let times = 0
      const request = ways[way]!(session.auth as never, send)
      return request.then(
        (value) => ({ value, times: ++times }),
        (error) => ({ error, times: ++times }),
      )
    })
    await session.clock.advance(120_000)
    for (const outcome of outcomes) {
      const { error } = (await settled('a request', outcome)) as { error?: unknown }
      if (error) expect(error).toBeInstanceOf(Error)
      expect(String(error)).not.toContain(SECRET)
    }
    for (const { url, token } of sent) {
      expect(new URL(url).protocol).toMatch(/^https?:$/)
      if (new URL(url).origin !== API) expect(token, url).toBeNull()
      else expect(new URL(url).username).toBe('')
    }
    expect(sent.length, 'requests').toBeLessThanOrEqual(count * 2 * 21)
    expect(refreshes).toBeLessThanOrEqual(2)
    session.check()
    await session.end()
  },
)
