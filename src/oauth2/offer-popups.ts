import type { Signal } from '../core/ports.ts'
import type { PopupWindow } from '../environment/global-types.ts'
import { answerOfPage, cleanAddress } from './page.ts'
import { type FromPage, lockOf, openPages, type ToPages } from './page-channel.ts'
import { openPopup } from './popup.ts'
import { handOver } from './popup-channel.ts'

/** How often it is looked whether a window is closed, in milliseconds. */
const POLL = 500

/** What the function of `offerPopups` may use. */
export interface AskOptions {
  /** Aborts when another page opened the window, and when the worker needs none any more. */
  readonly signal: Signal
  /** Opens the window. Call it in the click, before anything is awaited: browsers block other popups. */
  readonly openPopup: (features?: string) => PopupWindow | undefined
}

/** What the user is asked for a worker. */
interface Question {
  readonly controller: AbortController
  popup: PopupWindow | undefined
}

/**
 * Opens windows for sign-ins of a worker that calls `popupOfPage`. A page that is hidden asks when the user looks at it.
 *
 * @param name as in `popupOfPage`
 * @param ask asks the user, opens the window in the click, and returns it; `undefined` declines
 * @returns stops offering windows; a question that is open is declined
 *
 * @example
 * ```ts
 * offerPopups('sign-in', async ({ openPopup, signal }) => {
 *   await clicked(button, signal) // Browsers open a popup only in a click.
 *   return openPopup()
 * })
 * ```
 */
export function offerPopups(
  name: string,
  ask: (options: AskOptions) => PopupWindow | undefined | PromiseLike<PopupWindow | undefined>,
): () => void {
  const channel = openPages(name)
  const page = crypto.randomUUID()
  const questions = new Map<string, Question>()
  const post = (message: FromPage) => channel.postMessage(message)

  function end(id: string) {
    const question = questions.get(id)
    questions.delete(id)
    question?.controller.abort()
    question?.popup?.close()
  }

  async function answer(id: string, isLocked: boolean | undefined) {
    post({ type: 'seen', id })
    if (questions.has(id)) return
    const controller = new AbortController()
    const { signal } = controller
    const question: Question = { controller, popup: undefined }
    questions.set(id, question)
    // At once: if `ask` fails later, the worker ends the question, which closes the window.
    const open = (features?: string) => {
      question.popup = openPopup(features)
      return question.popup
    }
    await untilVisible(signal)
    if (signal.aborted) return
    try {
      const popup = await ask({ signal, openPopup: open })
      if (signal.aborted) return popup?.close()
      if (!popup) return post({ type: 'declined', id })
      question.popup = popup
      post({ type: 'opened', id, page })
      watch(id, popup, signal)
      // A worker that was stopped does not end its question.
      if (isLocked) navigator.locks?.request(lockOf(id), { signal }, () => end(id)).catch(() => {})
    } catch (error) {
      if (signal.aborted) return
      post({ type: 'declined', id })
      reportError(error)
    }
  }

  function watch(id: string, popup: PopupWindow, signal: AbortSignal) {
    let isClosed = false
    const timer = setInterval(() => {
      if (popup.closed === isClosed) return
      isClosed = popup.closed
      post({ type: 'closed', id, isClosed })
    }, POLL)
    signal.addEventListener('abort', () => clearInterval(timer))
  }

  channel.onmessage = ({ data }: MessageEvent<ToPages>) => {
    const { id } = data
    if (data.type === 'ask') void answer(id, data.isLocked)
    else if (data.type === 'end' || (data.type === 'taken' && data.page !== page)) end(id)
    else if (data.type === 'go' && /^https?:/.test(data.url))
      questions.get(id)?.popup?.location.replace(data.url)
  }
  post({ type: 'here' })

  return () => {
    for (const id of [...questions.keys()]) {
      post({ type: 'declined', id })
      end(id)
    }
    channel.close()
  }
}

function untilVisible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === 'hidden' && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look)
    look()
  })
}

/**
 * Hands the answer of a sign-in to the worker or the window that waits for it, and closes this window. For the page of the
 * redirect URI, if its session is in a worker. Call it before the app starts.
 *
 * @returns `false` if this page is no answer, or nothing waits for it
 *
 * @example
 * ```ts
 * if (!(await handOverAnswer())) startApp()
 * ```
 */
export async function handOverAnswer(): Promise<boolean> {
  const answer = answerOfPage(location.href)
  if (!answer) return false
  cleanAddress()
  return handOver(answer.searchParams.get('state') ?? '', answer.searchParams)
}
