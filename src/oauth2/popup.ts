import type { Clock, Signal } from '../core/ports.ts'
import type { PopupWindow } from '../environment/global-types.ts'
import { oauthError } from './failure.ts'
import { openChannel, TAKEN } from './popup-channel.ts'

/** How often it is looked whether a popup is closed, in milliseconds. */
const POLL = 500
/**
 * How long the answer of a closed popup is awaited, in milliseconds. A server with `Cross-Origin-Opener-Policy` makes an open
 * window look closed, so `closed` is only a hint.
 */
const GRACE = 120_000

const FEATURES = 'popup,width=500,height=700'

/**
 * Opens an empty window for a sign-in. Call it in the click, before anything is awaited: browsers block other popups.
 *
 * @returns `undefined` if the browser blocked it
 */
export function openPopup(features = FEATURES): PopupWindow | undefined {
  return globalThis.open?.('', '_blank', features) ?? undefined
}

/**
 * Waits for the answer that the popup hands over.
 *
 * @throws OAuthError if the popup was closed
 */
export function untilAnswered(
  popup: PopupWindow,
  state: string,
  clock: Clock,
  signal: Signal,
): Promise<URLSearchParams> {
  const channel = openChannel(state)
  let timer: unknown
  /** In milliseconds. A page that stands still does not count. */
  let closedFor = 0
  const answered = new Promise<URLSearchParams>((resolve, reject) => {
    channel.onmessage = ({ data }) => {
      const answer = new URLSearchParams(String(data))
      if (answer.get('state') !== state) return
      channel.postMessage(TAKEN)
      resolve(answer)
    }
    const look = () => {
      closedFor = popup.closed ? closedFor + POLL : 0
      if (closedFor > GRACE) reject(oauthError('popup_closed'))
      else timer = clock.setTimeout(look, POLL)
    }
    look()
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  return answered.finally(() => {
    clock.clearTimeout(timer as never)
    channel.close()
  })
}
