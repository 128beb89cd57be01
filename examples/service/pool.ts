import { createAuthPool, type Fleet, keyRing } from 'authchart/server'

/** The pool of one process. */
export function createPool(fleet: Fleet, url: string, secret: string) {
  const post = async (path: string, fields: Readonly<Record<string, string>>) => {
    const response = await fetch(url + path, { method: 'POST', body: new URLSearchParams(fields) })
    if (!response.ok) throw response
    return response.json()
  }
  return createAuthPool({
    fleet,
    keys: keyRing({ example: secret }),
    signIn: (user: { username: string; password: string }) => post('/session', user),
    refresh: ({ refreshToken = '' }) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
  })
}
