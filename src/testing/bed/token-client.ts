import type { AuthOptions } from '../../core/options.ts'
import type { TokenResponse } from '../../core/ports.ts'
import type { Facts, TestBedCredentials } from './bed-users.ts'
import type { EndpointMode } from './endpoint-mode.ts'
import type { TestEnvironment } from './test-environment.ts'

type SessionFunctions = Required<Pick<AuthOptions<TestBedCredentials>, 'refresh' | 'signIn' | 'revoke'>>

/** The functions of a session that call the token server, with a count of their calls. */
export interface TokenClient {
  readonly functions: SessionFunctions
  /** Signs in with a cookie, as an earlier page would have done. */
  signInWithCookie(): Promise<void>
  /** The number of running calls. */
  running(): number
  /** The number of running calls that wait for the test. */
  held(): number
}

interface Call {
  readonly id: string
  readonly signal: AbortSignal
}

/** The header with the id of a call to the token endpoint, to find the call in the server's requests. */
const CALL_ID = 'x-test-call'

/**
 * @param send sends requests to the token server at `origin`
 * @param factsOf what the token server says of a user
 */
export function createTokenClient(
  send: typeof globalThis.fetch,
  origin: string,
  environment: TestEnvironment,
  endpoint: EndpointMode,
  factsOf: (subject: string) => Facts,
): TokenClient {
  const calls = new Set<string>()
  let count = 0
  /** The number of revocations that wait until the endpoint answers. */
  let heldRevocations = 0
  let cookie: string | undefined

  async function call<T>(work: (id: string) => Promise<T>): Promise<T> {
    if (!environment.online()) throw new TypeError('fetch failed')
    const id = `${++count}`
    calls.add(id)
    try {
      return await work(id)
    } finally {
      calls.delete(id)
    }
  }

  async function post(
    path: string,
    form: Record<string, string>,
    { id = '', signal }: Partial<Call> = {},
  ): Promise<Response> {
    const headers = new Headers({ [CALL_ID]: id })
    if (cookie !== undefined && form.refresh_token === undefined) headers.set('cookie', cookie)
    const response = await send(`${origin}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
      ...(signal && { signal }),
    })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    if (!response.ok) throw response
    return response
  }

  const fetchTokens = async (form: Record<string, string>, from: Call) =>
    (await post('/token', form, from)).json() as Promise<TokenResponse>

  return {
    functions: {
      refresh: ({ refreshToken, signal }) =>
        call((id) => {
          if (refreshToken !== undefined)
            return fetchTokens({ grant_type: 'refresh_token', refresh_token: refreshToken }, { id, signal })
          return fetchTokens({ grant_type: 'refresh_token', cookie: '1' }, { id, signal }).then((tokens) => ({
            ...tokens,
            ...factsOf('ada'),
          }))
        }),
      signIn: ({ username, password }, { signal }) =>
        call(async (id) => ({
          ...(await fetchTokens({ grant_type: 'password', username, password }, { id, signal })),
          ...factsOf(username),
        })),
      revoke: ({ accessToken, refreshToken }, { signal }) =>
        call(async () => {
          heldRevocations++
          await endpoint.untilAnswered()
          heldRevocations--
          await post('/revoke', { token: refreshToken ?? accessToken }, { signal })
          // As a server that refuses it for good, because the model has no second attempt.
        }).catch(() => Promise.reject({ error: 'invalid_request' })),
    },
    async signInWithCookie() {
      await post('/token', { grant_type: 'password', username: 'ada', password: 'correct', cookie: '1' })
    },
    running: () => calls.size,
    held: () =>
      heldRevocations + endpoint.waiting.filter(({ headers }) => calls.has(headers[CALL_ID] ?? '')).length,
  }
}
