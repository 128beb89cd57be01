import { pause } from '../coordination/lock-timeout.ts'
import { unpackMessage } from './answers.ts'
import { Messages } from './messages.ts'

/**
 * Subscribes to a channel of a database. Returns, or resolves to, a function that stops it.
 *
 * @param lost to be called if the connection is lost and the client does not subscribe again by itself
 */
export type Subscribe = (channel: string, hear: (message: string) => void, lost: () => void) => unknown

const FIRST_PAUSE = 250
/** Short, because a process that may have to write tokens back is asked by a message. */
const LONGEST_PAUSE = 1_000

/** How long a subscription may take to end before the next one begins, in milliseconds. */
const LONGEST_END = 5_000

/** The messages of a fleet on one channel. A subscription that fails or is lost is attempted again, without end. */
export function channelMessages(channel: string, subscribe: Subscribe): Messages {
  let before: Promise<void> | undefined
  return new Messages((hear) => {
    const controller = new AbortController()
    const { signal } = controller
    const deliver = (key: string, message: string) => {
      if (!signal.aborted) hear(key, message)
    }
    const receive = (text: string) => unpackMessage(text, deliver)
    const begin = () => keepSubscribed((lost) => subscribe(channel, receive, lost), signal)
    // Some clients end all subscriptions of a connection to that channel, so the one before must not end later.
    before = before ? ending(before).then(begin) : begin()
    return () => controller.abort()
  })
}

async function keepSubscribed(subscribe: (lost: () => void) => unknown, signal: AbortSignal): Promise<void> {
  for (let delay = FIRST_PAUSE; !signal.aborted; delay = Math.min(2 * delay, LONGEST_PAUSE)) {
    let lost = () => {}
    const ended = new Promise<void>((resolve) => {
      lost = () => resolve()
      signal.addEventListener('abort', lost)
    })
    try {
      const stop = await subscribe(lost)
      await ended
      delay = FIRST_PAUSE
      if (typeof stop === 'function') await ending(stop())
    } catch {
      // The connection is lost, and the subscription with it.
    }
    signal.removeEventListener('abort', lost)
    await pause(delay, signal)
  }
}

/** Waits for the end of a subscription, which may never come. */
async function ending(end: unknown): Promise<void> {
  const timer = new AbortController()
  try {
    await Promise.race([end, pause(LONGEST_END, timer.signal)])
  } finally {
    timer.abort()
  }
}
