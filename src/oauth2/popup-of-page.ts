import type { Signal } from '../core/ports.ts'
import type { PopupWindow } from '../environment/global-types.ts'
import { type FromPage, lockOf, openPages, type ToPages } from './page-channel.ts'

/** How long a page may take to say that it was asked, in milliseconds. After that, no page is there that would ask the user. */
const PATIENCE = 2_000

/**
 * Opens a window for a sign-in of a worker. A worker has no windows, so it asks its pages: those that call `offerPopups` with
 * the same name. The first answer counts. The sign-in stays in the worker, with its verifier and its tokens.
 *
 * @param name of your choice; the pages use the same
 * @param options `signal` ends the question
 * @returns the `window` of `via: 'popup'`; `undefined` if the user declined, the browser blocked the window, or no page offers any
 *
 * @example
 * ```ts
 * // auth.worker.ts
 * onStepUp(auth, stepUp(oauth, async (_, { signal }) => {
 *   const popup = await popupOfPage('sign-in', { signal })
 *   return popup && { via: 'popup', window: popup }
 * }))
 * ```
 */
export async function popupOfPage(
  name: string,
  { signal }: { readonly signal: Signal },
): Promise<PopupWindow | undefined> {
  const id = crypto.randomUUID()
  const release = await hold(lockOf(id))
  if (signal.aborted) {
    release?.()
    return undefined
  }
  const channel = openPages(name)
  const post = (message: ToPages) => channel.postMessage(message)
  const ask = () => post({ type: 'ask', id, isLocked: release !== undefined })
  let isEnded = false
  const close = () => {
    if (isEnded) return
    post({ type: 'end', id })
    isEnded = true
    channel.close()
    release?.()
  }
  const page = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE)
    signal.addEventListener('abort', () => resolve(undefined))
    channel.onmessage = ({ data }: MessageEvent<FromPage>) => {
      if (data.type === 'here') return ask()
      if (data.id !== id) return
      clearTimeout(timer)
      if (data.type === 'opened') resolve(data.page)
      if (data.type === 'declined') resolve(undefined)
    }
    ask()
  })
  if (page === undefined) {
    close()
    return undefined
  }
  let isClosed = false
  channel.onmessage = ({ data }: MessageEvent<FromPage>) => {
    if (data.type === 'closed' && data.id === id) isClosed = data.isClosed
  }
  post({ type: 'taken', id, page })
  return {
    get closed() {
      return isClosed || isEnded
    },
    location: { replace: (url: string | URL) => post({ type: 'go', id, url: String(url) }) },
    close,
  } as PopupWindow
}

/** Takes a lock that nothing else holds. Returns what releases it; `undefined` without Web Locks, or if the browser refuses. */
function hold(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const locks = globalThis.navigator?.locks as LockManager | undefined
    if (!locks) return resolve(undefined)
    const held = () => new Promise<void>((release) => resolve(release))
    locks.request(name, held).catch(() => resolve(undefined))
  })
}
