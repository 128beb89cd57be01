import { backgroundClock } from './background-clock.ts'
import type { Clock, SessionRecord, SessionStorage } from './ports.ts'
import { isPromiseLike } from './promise-like.ts'
import type { Timed } from './timed.ts'

/** How long a use may go untold, in milliseconds, or a tenth of the limit where that is less. */
const TELL_EVERY = 5_000

/** How often the store is asked for an app that shows how long the session lasts, in milliseconds. */
const ASK_EVERY = 1_000

export interface LastUseOptions {
  readonly storage: SessionStorage | undefined
  readonly clock: Clock
  readonly timed: Timed
  /** `limits.idle`, in milliseconds. */
  readonly limit: number
  /** How long the store may take to answer, in milliseconds. */
  readonly timeout: number
  /** Tells that the store has answered. */
  readonly onAnswer: () => void
}

/**
 * When the session was last used, as far as its idle limit goes: by this tab or by any other that shares the store.
 *
 * Each tab tells the store of its own uses now and then, the last one included. It asks what others did only when it would
 * end the session for want of use, and until it knows, nobody can say that the limit is reached.
 */
export function createLastUse({ storage, clock, timed, limit, timeout, onAnswer }: LastUseOptions) {
  const shared = limit < Number.POSITIVE_INFINITY && storage?.readLastUse ? storage : undefined
  const { setTimeout, clearTimeout } = backgroundClock(clock)
  /** The use that the store was told of, or told us of. */
  let told = Number.NEGATIVE_INFINITY
  /** The use that the store was asked about, and knew of none later. */
  let confirmed = Number.NEGATIVE_INFINITY
  let looking = false
  let wanted = false
  let askAt = Number.NEGATIVE_INFINITY
  let timer: unknown

  function tell() {
    use.tellAt = Number.POSITIVE_INFINITY
    told = use.at
    write(told)
    timer = setTimeout(
      () => {
        if (use.at > told) tell()
        else use.tellAt = Number.NEGATIVE_INFINITY
      },
      Math.min(TELL_EVERY, limit / 10),
    )
  }

  /**
   * Tells the store, unless it knows of a later use. What cannot be told counts here all the same; a store that fails says so
   * where it keeps the session.
   */
  function write(at: number) {
    const put = (known: unknown) => {
      if (isPast(known) && known >= at) return
      try {
        void Promise.resolve(shared?.writeLastUse?.(at)).catch(() => {})
      } catch {}
    }
    const known = ask()
    if (known instanceof Promise) void known.then(put)
    else put(known)
  }

  /** What the store knows: at once where it can, and never after `timeout`. */
  function ask(): unknown {
    try {
      const found = shared?.readLastUse?.()
      if (!isPromiseLike(found)) return found
      return timed
        .run(
          () => found,
          timeout,
          () => undefined,
        )
        .catch(() => undefined)
    } catch {
      return undefined
    }
  }

  /** Nobody has used it in time to come: then a clock was set back. */
  const isPast = (found: unknown): found is number => typeof found === 'number' && found <= clock.now()

  function hear(found: unknown) {
    if (isPast(found)) use.at = Math.max(use.at, found)
    confirmed = use.at
  }

  const use = {
    /** When it was last used, in milliseconds since the Unix epoch. */
    at: clock.now(),
    /** From when on a use must be told. */
    tellAt: Number.POSITIVE_INFINITY,
    tell,

    /** Whether the store is being asked. Whoever wants to use the session has to wait for the answer. */
    get looking() {
      return looking
    },

    /** The session is used now. */
    touch() {
      if (looking) {
        wanted = true
        return
      }
      use.at = clock.now()
      if (use.at >= use.tellAt) tell()
    },

    /** A session begins: used right now, or last at an instant that the store knows. */
    begin(at?: number) {
      use.at = at ?? clock.now()
      if (!shared) return
      confirmed = use.at
      clearTimeout(timer)
      if (at === undefined) tell()
      else use.tellAt = Number.NEGATIVE_INFINITY
    },

    /** Whether it was left for so long, and nobody else can say otherwise. */
    isOver: () => clock.now() - use.at >= limit && !looking && (!shared || confirmed === use.at),

    /** The session is over: what becomes of it is no use to anybody. */
    end() {
      clearTimeout(timer)
      use.tellAt = Number.POSITIVE_INFINITY
      told = use.at
    },

    /** When the session was last used that the store holds; `undefined` where it does not keep that. */
    async ofStore({ startedAt }: Pick<SessionRecord, 'startedAt'>): Promise<number | undefined> {
      const found = await ask()
      return isPast(found) ? Math.max(startedAt, found) : undefined
    },

    /** When it was last used by anybody, as far as can be told at once: what a store says later is heard for the next time. */
    get known() {
      if (shared && !looking && clock.now() >= askAt) {
        askAt = clock.now() + ASK_EVERY
        const found = ask()
        if (found instanceof Promise) void found.then((value) => looking || hear(value))
        else hear(found)
      }
      return use.at
    },

    /** Asks the store, where that can change anything. */
    look() {
      if (!shared || looking || clock.now() - use.at < limit) return
      const found = ask()
      if (!(found instanceof Promise)) return hear(found)
      looking = true
      void found.then((value) => {
        looking = false
        hear(value)
        if (wanted && !use.isOver()) use.touch()
        wanted = false
        onAnswer()
      })
    },

    dispose() {
      clearTimeout(timer)
      if (shared && use.at > told) write(use.at)
    },
  }
  return use
}

export type LastUse = ReturnType<typeof createLastUse>
