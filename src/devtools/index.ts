/**
 * A panel that shows what a session does. For development only.
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
  /** The name of this session, if there are several. Exported files carry it, too. Default: `'auth'`. */
  readonly name?: string
  /** Whether the panel is open at the start. Default: `false`; a button opens it. */
  readonly open?: boolean
  /** Default: the theme of the system. */
  readonly theme?: 'light' | 'dark'
  /** The clock of the session, if it has its own. Returns milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Defines `<authchart-devtools>`, for pages that add the element themselves and set its `auth`. Calling it again does nothing.
 *
 * @throws ReferenceError outside a page, for example in a server or a worker
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
 * Adds a button to the corner of the page. The button opens a panel that shows the live chart, the countdown of the token, the
 * requests, and all events since the session started. The panel shows no secrets. It needs no style sheet and works under a
 * strict content security policy.
 *
 * Call it in development only. Code that is not called is not part of a production bundle.
 *
 * @param auth the session. The requests of a session in a worker cannot be seen from the page
 * @param options see `DevtoolsOptions`
 * @returns a function that removes the panel and its button
 * @throws ReferenceError outside a page, for example in a server or a worker
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
  // A script in the head runs before the body exists.
  const place = document.body ?? document.documentElement
  place.append(element)
  return () => element.remove()
}
