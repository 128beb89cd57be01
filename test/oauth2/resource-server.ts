import { onTestFinished } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import type { TestProvider } from './provider.ts'

/** What a path demands of the token beside that it is valid. */
type Token = NonNullable<Awaited<ReturnType<TestProvider['introspect']>>>
const DEMANDS: { readonly [path: string]: readonly [challenge: string, isMet: (token: Token) => boolean] } = {
  '/mfa': [
    'error="insufficient_user_authentication", error_description="Stronger, please", acr_values="mfa"',
    ({ extra }) => extra?.acr === 'mfa',
  ],
  '/recent': [
    'error="insufficient_user_authentication", max_age="300"',
    ({ extra }) => Number(extra?.auth_time) > Date.now() / 1_000 - 300,
  ],
  '/write': ['error="insufficient_scope", scope="write"', ({ scopes }) => scopes.has('write')],
  '/impossible': ['error="insufficient_user_authentication", acr_values="gold"', () => false],
}

/** An API that demands more than a valid token for some of its paths (RFC 9470 §3, RFC 6750 §3.1). */
export async function startResourceServer(server: TestProvider) {
  /** The path and the status of each answer. */
  const answers: string[] = []
  const { url, close } = await listen(async (request, response) => {
    const cors = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization, content-type, dpop',
      'access-control-expose-headers': 'www-authenticate',
    }
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end()
    let body = ''
    for await (const chunk of request) body += chunk
    const path = request.url ?? ''
    const token = await server.introspect(request.headers.authorization?.replace(/^(Bearer|DPoP) /, '') ?? '')
    const [challenge, isMet] = DEMANDS[path] ?? []
    const problem = !token?.isValid
      ? 'error="invalid_token"'
      : isMet?.(token) === false
        ? challenge
        : undefined
    const status = problem === undefined ? 200 : problem.includes('scope') ? 403 : 401
    answers.push(`${path} ${status}`)
    response
      .writeHead(status, {
        ...cors,
        'content-type': 'application/json',
        ...(problem !== undefined && { 'www-authenticate': `Bearer realm="api", ${problem}` }),
      })
      .end(JSON.stringify({ user: token?.accountId, body }))
  })
  onTestFinished(close)
  return { url, answers, count: (answer: string) => answers.filter((each) => each === answer).length }
}
