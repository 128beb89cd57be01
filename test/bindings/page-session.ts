/** The session of a page, and the server's part in it, which the test plays. */
import { createAuth, type TokenResponse } from 'authchart'

/** An auth whose refresh and sign-in wait for the test. */
export function createSession(initialTokens?: TokenResponse) {
  const waiting: { resolve: (answer: TokenResponse) => void; reject: (error: unknown) => void }[] = []
  const ask = () =>
    new Promise<TokenResponse>((resolve, reject) => {
      waiting.push({ resolve, reject })
    })
  const auth = createAuth({
    refresh: ask,
    signIn: (_: string) => ask(),
    ...(initialTokens ? { initialTokens } : { silentSignIn: true }),
  })
  /** Settles the oldest that waits, when it is there. */
  const settle = async (how: 'resolve' | 'reject', what: TokenResponse) => {
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve))
    waiting.shift()?.[how](what as never)
  }
  return {
    auth,
    answer: (response: TokenResponse) => settle('resolve', response),
    refuse: () => settle('reject', { error: 'invalid_grant' } as TokenResponse),
  }
}

export type PageSession = ReturnType<typeof createSession>
