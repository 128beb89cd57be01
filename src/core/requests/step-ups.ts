import { untilAborted } from '../platform/until-aborted.ts'
import type { AbortSignalLike } from '../ports.ts'
import type { Credential, Vault } from '../session/vault.ts'
import { replay } from './bearer-request.ts'
import type { StepUp } from './challenge.ts'
import type { Gate } from './gate.ts'
import type { BearerRequest, StepUpAnswers } from './transport-request.ts'

/** The longest demand that a user is asked about, in characters: it becomes a part of an address. */
const LONGEST = 2_048
/** More demands are not remembered at once. */
const MOST = 32

/** Calls the app's handler. */
export interface StepUpCalls {
  /** Resolves to whether the session has other tokens. Never rejects. */
  ask(need: StepUp): Promise<boolean>
  /** Whether that is the signal of the call that runs: a request with it belongs to the handler. */
  owns(signal: AbortSignalLike): boolean
}

/** A branch of the session, whose tokens come from the refresh token of the session. */
export interface SteppingBranch {
  readonly gate: Gate
  readonly vault: Vault
  /** Whether tokens of the branch may have what is asked for. */
  mayMeet(need: StepUp): boolean
  refresh(): Promise<unknown>
}

/** The demand that the user is being asked about. */
interface Question {
  readonly demand: string
  /** Resolves to whether the session has other tokens now. */
  readonly answered: Promise<boolean>
}

/**
 * The requests of one session whose servers ask for a stronger sign-in. The user is asked about one thing at a time, and once
 * for all requests that need it. A request goes again once for what it was refused for.
 */
export class StepUps implements StepUpAnswers {
  readonly #gate: Gate
  readonly #vault: Vault
  readonly #handler: StepUpCalls
  #question: Question | undefined
  /** The tokens that answered a demand. */
  readonly #answers = new Map<string, { readonly generation: number; readonly receivedAt: number }>()
  /** Requests that were sent once more because newer tokens were there already. */
  readonly #sentNewer = new WeakSet<object>()
  /** Requests whose next challenge is the caller's. */
  readonly #sentAgain = new WeakSet<object>()

  constructor(gate: Gate, vault: Vault, handler: StepUpCalls) {
    this.#gate = gate
    this.#vault = vault
    this.#handler = handler
  }

  /**
   * How a request goes on that was refused: with its answer, or with that of another sending.
   *
   * @throws the reason of the caller's signal, at once, while the user is being asked
   */
  async answer<Answer>(
    need: StepUp,
    answer: Answer,
    request: BearerRequest<Answer>,
    refused: Credential,
  ): Promise<Answer> {
    const demand = demandOf(need)
    const { signal } = request
    if (!this.#mayGoAgain(request, refused) || demand.length > LONGEST) return answer
    try {
      const isMet = this.#meet(need, demand, request, refused)
      if (!(await (signal ? untilAborted(isMet, signal) : isMet)) || !this.#serves(refused)) return answer
      const slot = await this.#gate.resume(refused, request)
      request.discard?.(answer)
      return replay(slot, request)
    } catch (error) {
      request.discard?.(answer)
      throw error
    }
  }

  /** What handles the challenges of a branch: the user is asked about them as about those of the session. */
  ofBranch({ gate, vault, mayMeet, refresh }: SteppingBranch): StepUps {
    return new StepUps(gate, vault, {
      owns: (signal) => this.#handler.owns(signal),
      ask: async (need) => {
        const isMet = mayMeet(need) && (await this.#meetElsewhere(need, vault.tokens?.receivedAt))
        if (!isMet) return false
        return refresh().then(
          () => true,
          () => false,
        )
      },
    })
  }

  #mayGoAgain<Answer>(request: BearerRequest<Answer>, refused: Credential): boolean {
    const { replayable, signal } = request
    // The handler's own request would wait for the handler.
    const isOwn = signal != null && this.#handler.owns(signal)
    return replayable && !isOwn && !this.#sentAgain.has(request) && this.#serves(refused)
  }

  /** Whether the session is still there that the request belongs to, or its user has signed in again. */
  #serves({ authorization, epoch }: Credential): boolean {
    return authorization !== undefined && this.#vault.tokens !== undefined && this.#vault.mayServe(epoch)
  }

  /** @param receivedAt when the branch got the token that was refused */
  async #meetElsewhere(need: StepUp, receivedAt = 0): Promise<boolean> {
    const demand = demandOf(need)
    for (;;) {
      const question = this.#question
      if (!question) break
      const isMet = await question.answered
      if (question.demand === demand) return isMet
    }
    // The user has met this demand since: the branch only has to get a token that shows it.
    return (this.#answers.get(demand)?.receivedAt ?? -1) >= receivedAt || this.#begin(need, demand)
  }

  /** Resolves to whether there are other tokens that may satisfy the server. */
  async #meet<Answer>(
    need: StepUp,
    demand: string,
    request: BearerRequest<Answer>,
    refused: Credential,
  ): Promise<boolean> {
    for (;;) {
      const question = this.#question
      if (!question) break
      const isMet = await question.answered
      if (question.demand !== demand) continue
      this.#sentAgain.add(request)
      return isMet
    }
    // While the user was asked about something else, the session or the request may have ended.
    if (request.signal?.aborted || !this.#serves(refused)) return false
    if (refused.generation < this.#vault.generation && !this.#sentNewer.has(request)) {
      this.#sentNewer.add(request)
      const answeredAt = this.#answers.get(demand)?.generation ?? 0
      if (answeredAt > refused.generation) this.#sentAgain.add(request)
      return true
    }
    this.#sentAgain.add(request)
    return this.#begin(need, demand)
  }

  async #begin(need: StepUp, demand: string): Promise<boolean> {
    const answered = this.#handler.ask(need)
    this.#question = { demand, answered }
    const isMet = await answered
    this.#question = undefined
    if (isMet) {
      if (this.#answers.size >= MOST) this.#answers.clear()
      const { generation, tokens } = this.#vault
      this.#answers.set(demand, { generation, receivedAt: tokens?.receivedAt ?? 0 })
    }
    return isMet
  }
}

const demandOf = ({ scope, acrValues, maxAge }: StepUp): string => JSON.stringify([scope, acrValues, maxAge])
