/**
 * A panel that shows what a session does, for development.
 *
 * @module
 */
import { type AuthDevtoolsElement, createElementClass, DEVTOOLS } from './element.ts'
import type { WatchableAuth } from './recording/recorder.ts'

export type { AuthDevtoolsElement, WatchableAuth }

declare global {
  interface HTMLElementTagNameMap {
    'authchart-devtools': AuthDevtoolsElement
  }
}

/** Options of `showDevtools`. */
export interface DevtoolsOptions {
  /** Tells this session from others, in the names of files. Default: `'auth'`. */
  readonly name?: string
  /** Whether the panel is open at first. Default: `false`: a button opens it. */
  readonly open?: boolean
  /** Default: that of the system. */
  readonly theme?: 'light' | 'dark'
  /** The session's clock, in milliseconds since the Unix epoch, where it has one of its own. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Defines `<authchart-devtools>`, for pages that place the element themselves and set its `auth`. Calling it again does nothing.
 *
 * @throws ReferenceError where there is no page
 *
 * @example
 * ```ts
 * import { defineDevtools } from 'authchart/devtools'
 *
 * defineDevtools()
 * const panel = document.querySelector('authchart-devtools')
 * if (panel) panel.auth = auth
 * ```
 */
export function defineDevtools(): void {
  if (!customElements.get(DEVTOOLS)) customElements.define(DEVTOOLS, createElementClass())
}

/**
 * Puts a button into the corner of the page that opens a panel: the live chart, the token's countdown, each request as a bar, and
 * every event, back to where the session began. Nothing in it is a secret. It needs no style sheet and works under a strict
 * content security policy.
 *
 * Call it in development only. What is not called is not in a production bundle.
 *
 * @param auth the session, also one that lives in a worker, whose requests cannot be seen from the page
 * @param options see `DevtoolsOptions`
 * @returns the way to take it out again
 * @throws ReferenceError where there is no page
 *
 * @example
 * ```ts
 * if (import.meta.env.DEV) {
 *   const { showDevtools } = await import('authchart/devtools')
 *   showDevtools(auth)
 * }
 * ```
 */
export function showDevtools(auth: WatchableAuth, options: DevtoolsOptions = {}): () => void {
  defineDevtools()
  const element = document.createElement(DEVTOOLS)
  const { name, open = false, theme, now } = options
  if (name !== undefined) element.setAttribute('name', name)
  if (theme !== undefined) element.setAttribute('theme', theme)
  if (now !== undefined) element.now = now
  element.auth = auth
  element.open = open
  // A script in the head runs before there is a body.
  const place = document.body ?? document.documentElement
  place.append(element)
  return () => element.remove()
}
