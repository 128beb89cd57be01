/** A session on a page, with a test-controlled server. */
import { createAuth, fromCookie, type TokenResponse } from 'authchart'

/** Creates an auth whose refresh and sign-in wait for the test. */
export function createSession(initialTokens?: TokenResponse) {
  const waiting: { resolve: (answer: TokenResponse) => void; reject: (error: unknown) => void }[] = []
  const ask = () =>
    new Promise<TokenResponse>((resolve, reject) => {
      waiting.push({ resolve, reject })
    })
  const auth = createAuth({
    refresh: ask,
    signIn: (_: string) => ask(),
    ...(initialTokens ? { initialTokens } : { silentSignIn: fromCookie() }),
  })
  /** Settles the oldest waiting call, once there is one. */
  const complete = async (how: 'resolve' | 'reject', what: TokenResponse) => {
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve))
    waiting.shift()?.[how](what as never)
  }
  return {
    auth,
    answer: (response: TokenResponse) => complete('resolve', response),
    refuse: () => complete('reject', { error: 'invalid_grant' } as TokenResponse),
  }
}

export type PageSession = ReturnType<typeof createSession>
