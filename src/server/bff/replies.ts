import { isAuthError } from '../../core/errors.ts'

/** What a page, a proxy and a cache must not do with an answer about a session. */
const PRIVATE = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response => Response.json(body, { status, headers: { ...PRIVATE, ...headers } })

export const refusal = (
  status: number,
  error: string,
  headers?: Readonly<Record<string, string>>,
): Response => json(status, { error }, headers)

export const empty = (): Response => new Response(null, { status: 204, headers: PRIVATE })

/** Sends the browser on with GET, whatever it came with. */
export const seeOther = (location: string): Response =>
  new Response(null, { status: 303, headers: { ...PRIVATE, location } })

/** Adds `Set-Cookie` headers to an answer. */
export function withCookies(answer: Response, cookies: Iterable<string>): Response {
  for (const cookie of cookies) answer.headers.append('set-cookie', cookie)
  return answer
}

/** The answer to a request whose session gave that error; `undefined` for errors of others. */
export function replyTo(error: unknown): Response | undefined {
  if (!isAuthError(error)) return undefined
  const { code, reason } = error
  if (code === 'signed_out' || code === 'session_expired')
    return json(401, { error: code, ...(reason && { reason }) })
  return json(503, { error: code }, { 'retry-after': '1' })
}

/** What is known of a failed sign-in: a word, and no text of others. */
export function codeOf(error: unknown): string {
  const { code, reason } = Object(error) as { readonly code?: unknown; readonly reason?: unknown }
  const word = isAuthError(error) ? (reason ?? code) : undefined
  return typeof word === 'string' && /^[a-z_]{1,60}$/.test(word) ? word : 'failed'
}

/** A page for a sign-in that failed. */
export const failedPage = (status: number, code: string, again: string): Response =>
  new Response(
    `<!doctype html><meta charset="utf-8"><title>Sign-in failed</title><p>The sign-in failed (${code}).</p><p><a href="${escapeHtml(again)}">Try again</a></p>`,
    {
      status,
      headers: {
        ...PRIVATE,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'",
      },
    },
  )

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
