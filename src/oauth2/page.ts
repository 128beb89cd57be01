import type { Signal } from '../core/ports.ts'
import { oauthError } from './failure.ts'

/** Whether this code runs in a page, and not on a server or in a worker. */
export const isPage = (): boolean => typeof document !== 'undefined'

/** What a server adds to the redirect URI (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Session Management §2). */
const ANSWER = 'code state iss session_state error error_description error_uri'.split(' ')

/** The address of the page if it is an answer of a server. */
export function answerOfPage(redirectUri: string | undefined): URL | undefined {
  if (!isPage() || !redirectUri) return undefined
  const url = new URL(location.href)
  const { origin, pathname } = new URL(redirectUri)
  const isAnswer = /[?&](code|error)=/.test(url.search) && url.searchParams.has('state')
  return isAnswer && url.origin === origin && url.pathname === pathname ? url : undefined
}

/** Removes the answer from the address bar, and so from the history and from what the page sends as its referrer. */
export function cleanAddress(): void {
  const url = new URL(location.href)
  for (const name of ANSWER) url.searchParams.delete(name)
  history.replaceState(history.state, '', url)
}

/**
 * Leaves the page.
 *
 * @returns a promise that stays pending, because the page is gone
 * @throws OAuthError if the user comes back to the page as it was, or does not leave it
 */
export function leave(url: URL, signal: Signal): Promise<never> {
  return new Promise((_, reject) => {
    const cancel = ({ persisted = true }) => persisted && reject(oauthError('cancelled'))
    addEventListener('pageshow', cancel, { signal })
    // A page with unsaved input may ask whether to leave it. Another navigation may end here as well, which a router has begun.
    const watch = (event: { readonly signal: AbortSignal }) =>
      event.signal.addEventListener('abort', cancel as () => void)
    globalThis.navigation?.addEventListener('navigate', watch, { signal, once: true })
    location.assign(url)
  })
}

const TRIED = 'authchart.oauth2.silent'

/** Remembers that a silent sign-in was tried in this visit. Without `sessionStorage` none is tried: it could go in circles. */
export function trySilently(): void {
  try {
    if (!sessionStorage.getItem(TRIED)) {
      sessionStorage.setItem(TRIED, '1')
      return
    }
  } catch {
    // The storage is blocked.
  }
  throw oauthError('silent_tried')
}
