import type { AuthOptions } from '../core/options.ts'
import { onAbort } from '../core/platform/on-abort.ts'
import type { Signal, TokenResponse } from '../core/ports.ts'
import type { PopupWindow } from '../environment/global-types.ts'
import { DEFAULT_SCOPE, startSignIn } from './authorize.ts'
import { Callback } from './callback.ts'
import { Connection } from './connection.ts'
import type { deviceGrant } from './device.ts'
import { explainAnswerMode, explainClient, explainRequest } from './explain.ts'
import { oauthError, superseded, toOAuthError } from './failure.ts'
import { type SignedIn, signOutUrl } from './logout.ts'
import type { AuthorizePage, OAuthOptions, SignInRequest, TransactionStore } from './options.ts'
import { answerOfPage, cleanAddress, leave, trySilently } from './page.ts'
import { openPopup, untilAnswered } from './popup.ts'
import { refresh, revoke } from './tokens.ts'
import { defaultTransactions, Transactions } from './transactions.ts'

/** How long a user may take to sign in, in milliseconds. */
const PATIENCE = 1_800_000

type Grant = typeof deviceGrant

/** Whatever came of a sign-in: its window is of no use any more. */
const closeWindow = (request: unknown): void => Object(request).window?.close()

/** A client of one authorization server, made by `createOAuth`. */
export interface OAuth {
  /** To spread into `createAuth`. If you set `timeouts` there, too, spread `ports.timeouts` into them. */
  readonly ports: Required<
    Pick<AuthOptions<SignInRequest>, 'signIn' | 'signInFailed' | 'refresh' | 'revoke' | 'timeouts'>
  > &
    Pick<AuthOptions, 'proof'>
  /** What sign-ins ask for, unless their request has a `scope`. */
  readonly scope: string
  /** Whether this page was loaded as the answer of a sign-in. Then call `auth.signIn({ via: 'callback' })`. */
  readonly isCallback: boolean
  /** The `returnTo` of the sign-in whose answer was used last, as a safe path. */
  readonly returnTo: string | undefined

  /**
   * Opens an empty window for `via: 'popup'`. Call it in the click, before anything is awaited: browsers block other popups.
   *
   * @param features of the window, as `window.open` takes them
   * @returns `undefined` if the browser blocked it; then sign in by `via: 'redirect'`
   */
  openPopup(features?: string): PopupWindow | undefined

  /**
   * Hands the answer of a popup to the window that opened it, and closes the popup. For a callback page without a session of
   * its own: `auth.signIn({ via: 'callback' })` does the same.
   *
   * @returns `false` if this page has no opener
   */
  handOver(): Promise<boolean>

  /**
   * Starts a sign-in, and returns where to send the user: for servers and for apps that open a browser. `via: 'callback'`
   * completes it.
   *
   * @throws OAuthError
   */
  authorizationUrl(request?: AuthorizePage): Promise<URL>

  /**
   * Where to send the user to end the session at the server, too (OpenID Connect RP-Initiated Logout). Call it before
   * `auth.signOut()`, because the ID token names the session.
   *
   * @returns `undefined` if the server has no such page, or cannot be reached: then only the session here ends
   * @throws OAuthError `insecure` if the page is plain http on another machine, `invalid_response` if its address is not a URL
   *
   * @example
   * ```ts
   * const url = await oauth.signOutUrl(auth)
   * await auth.signOut()
   * if (url) location.assign(url)
   * ```
   */
  signOutUrl(auth: SignedIn, options?: { readonly state?: string }): Promise<URL | undefined>
}

/**
 * Creates a client of an OAuth 2.1 or OpenID Connect server. It brings the functions that `createAuth` needs.
 *
 * @param options the issuer and the client ID; for pages also the redirect URI
 * @throws TypeError if `issuer` or `redirectUri` is not a URL; during development also if another option is missing or of the wrong kind
 *
 * @example
 * ```ts
 * const oauth = createOAuth({ issuer: 'https://id.example.com', clientId: 'app', redirectUri: `${location.origin}/` })
 * const auth = createAuth({ ...oauth.ports, storage: webStorage(() => localStorage) })
 * if (oauth.isCallback) await auth.signIn({ via: 'callback' })
 * ```
 *
 * @see RFC 6749, RFC 7636, RFC 9700, OpenID Connect Core
 */
export function createOAuth(options: OAuthOptions): OAuth {
  explainClient('createOAuth', options)
  const connection = new Connection(options)
  const transactions = new Transactions(options.transactions ?? defaultTransactions(), connection.clock)
  const callback = new Callback(connection, transactions)
  const answer = answerOfPage(options.redirectUri)

  const transactionsOf = (store: TransactionStore | undefined) =>
    store ? new Transactions(store, connection.clock) : transactions

  const start = (request: AuthorizePage, popup?: boolean) =>
    startSignIn(connection, transactionsOf(request.transactions), request, popup).catch((error) => {
      throw toOAuthError(error)
    })

  async function signInByRedirect(request: AuthorizePage, signal: Signal): Promise<never> {
    const { url } = await start(request)
    if (signal.aborted) throw signal.reason
    return leave(url, signal)
  }

  async function signInByPopup(
    { window: popup, ...request }: Extract<SignInRequest, { via: 'popup' }>,
    signal: Signal,
  ): Promise<TokenResponse> {
    // At once, however long the server takes to answer.
    signal.addEventListener('abort', () => popup.close())
    const { url, state } = await start(request, true)
    let answer: URLSearchParams | undefined
    try {
      if (signal.aborted) throw signal.reason
      if (popup.closed) throw oauthError('popup_closed')
      popup.location.replace(url)
      answer = await untilAnswered(popup, state, connection.clock, signal)
    } finally {
      // A window that an isolated page has severed cannot be closed. Its sign-in must not complete there.
      if (!answer) await transactions.remove(state).catch(() => {})
    }
    return callback.redeem(answer, signal, transactions)
  }

  function signInByCallback(
    { url: given, transactions: store }: Extract<SignInRequest, { via: 'callback' }>,
    signal: Signal,
  ): Promise<TokenResponse> {
    if (given === undefined) cleanAddress()
    return callback.signIn(new URL(given ?? answer ?? location.href), signal, transactionsOf(store))
  }

  function signIn(request: SignInRequest, signal: Signal): Promise<TokenResponse> {
    if ('onCode' in request) return (request.via as Grant)(connection, request, signal)
    switch (request.via) {
      case 'popup':
        return signInByPopup(request, signal)
      case 'callback':
        return signInByCallback(request, signal)
      case 'silent':
        trySilently()
        return signInByRedirect({ ...request, prompt: 'none' }, signal)
      default:
        return signInByRedirect(request, signal)
    }
  }

  return {
    ports: {
      signIn: async (request, { signal, cancelled }) => {
        explainRequest(request, options.redirectUri)
        // Without AbortSignal.any, which browsers have since 2024 only.
        const controller = new AbortController()
        const ended = controller.signal
        for (const each of [cancelled, signal]) {
          const end = () => controller.abort(each.reason)
          onAbort(each, end)
          if (each.aborted) end()
        }
        try {
          if (ended.aborted) throw ended.reason
          return await signIn(request, ended)
        } catch (error) {
          // Another tab may have signed the user in, while this one asked.
          throw error === ended.reason ? superseded() : toOAuthError(error)
        } finally {
          closeWindow(request)
        }
      },
      signInFailed: closeWindow,
      refresh: (request) => refresh(connection, request),
      revoke: (tokens, { signal }) => revoke(connection, tokens, signal),
      timeouts: { signIn: PATIENCE },
      ...(options.dpop && { proof: options.dpop }),
    },
    scope: options.scope ?? DEFAULT_SCOPE,
    isCallback: !!answer,
    get returnTo() {
      return callback.returnTo
    },
    openPopup,
    async handOver() {
      if (!answer) return false
      cleanAddress()
      return callback.handOver(answer.searchParams)
    },
    async authorizationUrl(request = {}) {
      explainAnswerMode(request)
      return (await start(request)).url
    },
    signOutUrl: (auth, { state } = {}) => signOutUrl(connection, auth, state),
  }
}
