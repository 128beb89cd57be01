import type { AnyEventObject, ExecutableActionObject } from 'xstate'
import type { AuthEmitted, ChartContext } from '../../../machines/index.ts'
import { policyOf } from '../../core/resolve-options.ts'
import { issue } from './auth-server.ts'
import { followLimits } from './limits.ts'
import type { ResolvedModelSettings } from './model-options.ts'
import { type Draft, type ModelState, World } from './model-state.ts'
import { flush, rejectHeld, rejectRefreshWaiters } from './requests.ts'
import { type ChartStep, simulateChart } from './simulated-chart.ts'
import { advance, dropTimer, setTimer } from './time.ts'
import { begin, checkStore, endTokens, expireTokens, persist } from './tokens.ts'

/** The world of the test model: the real chart, and around it the app, its servers and its user. */
export type ModelWorld = ReturnType<typeof createModelWorld>

/** The parameters of XState's own actions, and of `endSession`. */
interface Params {
  readonly id: string
  readonly sendId: string
  readonly delay?: number
  readonly event: AnyEventObject
  readonly elsewhere: boolean
}

/** What the chart does. What it invokes is in its snapshot. */
const ACTIONS: Record<string, (draft: Draft, params: Params, context: ChartContext) => void> = {
  'xstate.raise': (draft, { id, delay, event }) => delay !== undefined && setTimer(draft, id, delay, event),
  'xstate.cancel': (draft, { sendId }) => dropTimer(draft, sendId),
  'xstate.emit': (draft, { event }) => {
    draft.emitted = [...draft.emitted, event as AuthEmitted]
  },
  rejectHeldRequests: (draft, _, { failure }) =>
    rejectHeld(draft, failure?.reason === 'timeout' ? 'refresh_timeout' : 'refresh_unavailable'),
  rejectRefreshWaiters: (draft) =>
    rejectRefreshWaiters(draft, 'session_expired', draft.tokens && draft.generation),
  expireSession: expireTokens,
  endSession: (draft, { elsewhere }) => endTokens(draft, elsewhere),
  reloadSession: (draft) => draft.jobs.push(() => checkStore(draft)),
}

const performIn = (draft: Draft) => (action: ExecutableActionObject) => {
  const perform = ACTIONS[action.type]
  if (perform) perform(draft, (action.params ?? {}) as unknown as Params, action.info.context as ChartContext)
  else if (!action.type.startsWith('xstate.'))
    throw new Error(`The model does not know the action ${action.type}.`)
}

/** The chart has finished a step. */
function rest(draft: Draft, { snapshot, taken, visited }: ChartStep) {
  draft.chart = snapshot
  draft.taken = [...draft.taken, ...taken]
  draft.visited = [...draft.visited, ...visited]
  followLimits(draft)
  flush(draft)
}

/** Creates the world of an app with these settings. */
export function createModelWorld(settings: ResolvedModelSettings) {
  /** The world of the current step: the chart's guards and delays ask it. */
  let current = new World(settings)
  const requests = {
    get usedSinceRefresh() {
      return current.usedGeneration === current.generation
    },
  }
  const chart = simulateChart({ clock: { now: () => current.wall }, requests })

  function open(state: ModelState): Draft {
    const mailbox: AnyEventObject[] = []
    const empty = { taken: [], visited: [], emitted: [], outcomes: [], jobs: [] }
    const draft: Draft = {
      ...state,
      ...empty,
      send(event) {
        mailbox.push(event)
        if (mailbox.length > 1) return
        for (const next of mailbox) rest(draft, chart.step(draft.chart, next, performIn(draft)))
        mailbox.length = 0
      },
    }
    current = draft
    return draft
  }

  function close(draft: Draft): ModelState {
    advance(draft, 0)
    const { jobs: _, send: __, ...state } = draft
    return state
  }

  return {
    start() {
      const draft = open(new World(settings))
      const { start, silentSignIn } = settings
      draft.storage = start === 'noStorage' ? 'none' : start === 'storageBroken' ? 'broken' : 'works'
      const subject = 'ada'
      if (start === 'stored') draft.stored = issue(draft, subject)
      if (start === 'storedExpired') draft.stored = issue(draft, subject, 0)
      if (start === 'cookie') draft.cookie = issue(draft, subject).id
      const initial =
        start.startsWith('initialTokens') &&
        begin(draft, {
          ...issue(draft, subject, start === 'initialTokensExpired' ? 0 : settings.lifetime),
          refreshable: start !== 'initialTokensLast',
        })
      const policy = policyOf(settings, { silentSignIn, restores: draft.storage !== 'none' })
      rest(draft, chart.start({ policy, ...(initial && { initial }) }, performIn(draft)))
      if (initial) persist(draft)
      return close(draft)
    },
    /** The state after `change` was made to `state`, and everything has come to rest. */
    after(state: ModelState, change: (draft: Draft) => void) {
      const draft = open(state)
      change(draft)
      return close(draft)
    },
  }
}
