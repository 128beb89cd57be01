import type { Handle, TokenAnswer } from '../scoreboard/types.ts'

const post = (forward: Handle, url: string, parameters: Record<string, string>, signal: AbortSignal) =>
  forward(new Request(url, { method: 'POST', body: new URLSearchParams(parameters), signal }))

/** The token server's own endpoints, for servers that speak another protocol over them. */
export const tokenEndpoint = (forward: Handle, { url, signal }: Request) => {
  const { origin } = new URL(url)
  return {
    signIn: (username: string) =>
      post(forward, `${origin}/token`, { grant_type: 'password', username, password: 'correct' }, signal),
    refresh: (refresh_token: string) =>
      post(forward, `${origin}/token`, { grant_type: 'refresh_token', refresh_token }, signal),
    revoke: (token: string) => post(forward, `${origin}/revoke`, { token }, signal),
  }
}

/** The tokens in an answer, or `undefined` if it is something else, such as a page of a gateway. */
export async function tokensIn(response: Response): Promise<TokenAnswer | undefined> {
  if (!response.ok) return undefined
  const answer: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  const { access_token } = Object(answer) as Partial<TokenAnswer>
  return typeof access_token === 'string' && access_token !== '' ? (answer as TokenAnswer) : undefined
}

/** The user of a token of the token server: `at-<session>-…`. Sessions are counted in the order of sign-ins. */
export const sessionOf = ({ access_token }: TokenAnswer): string =>
  /at-(\d+)-/.exec(access_token)?.[1] ?? 'ada'

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
