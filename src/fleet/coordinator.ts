import { AwaitedAnswer } from '../coordination/awaited-answer.ts'
import { ATTACH, type CoordinatorFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { CoordinatorMessage, StoredRotation, Turn, TurnWait } from '../core/ports.ts'
import type { Fleet } from './fleet.ts'
import { LONGEST_LOOK, PATIENCE, takeTurn } from './turn.ts'

/** The longest message that is read, in characters. */
const LONGEST = 2_000

/** The code that a coordinator of the library carries. */
const SHARE = withSharing({})[ATTACH]

/** Lets the processes of a fleet take turns to refresh one session. One object without closures, because a process has thousands. */
export class FleetCoordinator implements CoordinatorFeature {
  readonly [ATTACH] = SHARE
  readonly lock = 'required'
  readonly #fleet: Fleet
  readonly #key: string | Promise<string>
  readonly #owner: string
  readonly #patience: number | undefined
  #awaited: AwaitedAnswer<number> | undefined
  #isInTurn = false
  #listener: ((message: CoordinatorMessage) => void) | undefined

  /**
   * @param key the session's key in the fleet. It may still be computed
   * @param owner a random name of this process
   * @param patience the longest that the answer to another process is awaited, in milliseconds
   */
  constructor(fleet: Fleet, key: string | Promise<string>, owner: string, patience?: number) {
    this.#fleet = fleet
    this.#key = key
    this.#owner = owner
    this.#patience = patience
  }

  async exclusive<T>(_name: string, task: (turn?: Turn) => Promise<T>, wait: TurnWait): Promise<T> {
    this.#awaited ??= new AwaitedAnswer<number>(LONGEST_LOOK)
    const patience = Math.min(wait.patience ?? PATIENCE, this.#patience ?? Number.POSITIVE_INFINITY)
    const key = await this.#key
    const turn = await takeTurn(this.#fleet, key, this.#owner, { ...wait, patience }, this.#awaited)
    this.#isInTurn = true
    try {
      return await task(turn)
    } finally {
      this.#isInTurn = false
      await turn.release()
    }
  }

  /**
   * Marks a refresh token as presented again, because the answer to it could not be stored: until it is, the others wait for it.
   * Never rejects.
   */
  async keepMark(presented: StoredRotation): Promise<void> {
    // There the token was marked just now, or will be.
    if (this.#isInTurn) return
    const fleet = this.#fleet
    try {
      const key = await this.#key
      const acquired = await fleet.acquire(key, this.#owner, undefined)
      if (acquired.result !== 'granted') return
      const holder = { owner: this.#owner, fence: acquired.fence }
      if (!acquired.isSuspect && !this.#isInTurn) await fleet.present(key, holder, presented)
      await fleet.release(key, holder, false)
    } catch {
      // If the database is down, no other process presents the token.
    }
  }

  announce(message: CoordinatorMessage): void {
    // Of changes, the database notifies the other processes.
    if (message.type === 'ended') void this.#publish(JSON.stringify({ ...message, from: this.#owner }))
  }

  /** The owner of a subscription to the key passes the messages to `receive`. */
  subscribe(listener: (message: CoordinatorMessage) => void): () => void {
    this.#listener = listener
    return () => {
      this.#listener = undefined
    }
  }

  /** Receives a message about the key. Those of the database are not meant for a coordinator. */
  receive(text: string): void {
    const message = parse(text)
    if (message && message.from !== this.#owner) this.#listener?.(message)
  }

  async #publish(text: string): Promise<void> {
    await this.#fleet.publish(await this.#key, text).catch(() => {})
  }
}

/**
 * How long the answer to another process is awaited if the authorization server accepts the previous refresh token for some time,
 * in milliseconds: so short that several processes may vanish one after another during the refresh of a session.
 */
export const patienceOf = (reuseGrace: number | undefined): number | undefined =>
  reuseGrace ? reuseGrace / 4 : undefined

/** The session checks the fields. */
function parse(text: string): (CoordinatorMessage & { readonly from?: string }) | undefined {
  if (!text.startsWith('{') || text.length > LONGEST) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
