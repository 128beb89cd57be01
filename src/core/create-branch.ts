import { portsOf } from '../../machines/ports.ts'
import type { Auth } from './auth.ts'
import type { AuthFacade } from './auth-facade.ts'
import { createAuthWith, type SessionPorts } from './create-auth.ts'
import { DisposedError } from './errors.ts'
import { ATTACH, type LimitsFeature, type StorageFeature } from './features/feature.ts'
import { messageOf } from './messages.ts'
import type { AuthOptions, Settings } from './options.ts'
import type { BranchRequest, Clock } from './ports.ts'
import type { Gate } from './requests/gate.ts'
import type { ChartView } from './requests/request-mode.ts'
import type { SteppingBranch, StepUps } from './requests/step-ups.ts'
import { BranchLimits, BranchSharing } from './session/branch-sharing.ts'
import { branchRefresh } from './session/branch-token.ts'
import { Branches } from './session/branches.ts'
import type { CreateLimits } from './session/limits.ts'
import type { CreateSharing, SessionParts } from './session/sharing.ts'
import { portsOfSession } from './session-ports.ts'

/** What the tokens of `createBranch` are for. */
export interface BranchOptions {
  /** The APIs, by their resource indicators (RFC 8707). Many servers issue a token for one API only. */
  readonly resource?: string | readonly string[]
  /** A part of the scope of the session (RFC 6749 §6). Default: the server decides. */
  readonly scope?: string
  /** Other parameters of the token request, such as `audience` of a server that does not know resource indicators. */
  readonly extra?: Readonly<Record<string, string>>
}

/** The ports of a branch. */
interface BranchPorts extends SessionPorts {
  readonly sharing: BranchSharing
  readonly limits: BranchLimits
}

/** The session that a branch belongs to. */
export type BranchableAuth<User = unknown> = Pick<Auth<never, unknown, User>, 'actor' | 'ready' | 'session'>

/**
 * `createBranch`, with the clock given. Use the one from `authchart`.
 *
 * @param clock that of the session, unless its app gave another one
 */
export function createBranchWith<User>(
  auth: BranchableAuth<User>,
  options: BranchOptions,
  clock: Clock,
): Auth<never, Readonly<Record<string, unknown>>, User> {
  const request = requestOf(options)
  const ports = portsOfSession(auth, 'no_branch')
  const { kernel } = ports
  const branches = branchesOf(ports, auth)

  const follow: CreateSharing = (own, vault) => new BranchSharing(ports, auth, branches, own, vault)
  const limit: CreateLimits = (own, vault) => new BranchLimits(ports.limits, own, vault)
  const { isFatal, proof } = kernel.options
  const given: AuthOptions = {
    refresh: branchRefresh(ports, request),
    storage: { [ATTACH]: follow } as unknown as StorageFeature,
    limits: { [ATTACH]: limit } as unknown as LimitsFeature,
    ...(isFatal && { isFatal }),
    ...(proof && { proof }),
  }
  const settings: Settings = {
    ...kernel.settings,
    refreshOn: 'demand',
    persist: 'all',
    // No sign-in is due while the session goes on without its branch.
    get whenExpired() {
      return isWorking(auth.actor.getSnapshot()) ? 'reject' : kernel.settings.whenExpired
    },
  }
  const branch = createAuthWith(given, { ...kernel, clock: kernel.options.clock ?? clock, settings })

  const view = branch.actor
  const { requests: gate, vault, sharing, limits } = portsOf(view.getSnapshot().context) as BranchPorts
  gate.start({ getSnapshot: () => (sharing.isPending ? waiting(view.getSnapshot()) : view.getSnapshot()) })
  const mayMeet: SteppingBranch['mayMeet'] = ({ scope }) => isWithin(scope, options.scope)
  followStepUps({ gate, vault, mayMeet, refresh: branch.refresh }, ports)
  const { unsubscribe } = auth.actor.subscribe(() => gate.flush())
  view.subscribe((snapshot) => {
    // Requests that waited until the session was there.
    if (snapshot.context.held > 0 && snapshot.hasTag('pass')) limits.requestToken()
  })
  ;(branch as unknown as AuthFacade).stopWith([unsubscribe, branches.add(branch.dispose)])
  return branch as unknown as Auth<never, Readonly<Record<string, unknown>>, User>
}

/** Whether there is a session, and nothing is asked of its server that could end it. */
const isWorking = (session: ReturnType<Auth['actor']['getSnapshot']>): boolean =>
  session.hasTag('settled') && session.hasTag('session')

/** Requests wait, whatever the branch knows. */
const waiting = ({ context }: ChartView): ChartView => ({ context, hasTag: (tag) => tag === 'hold' })

/** A branch whose scope is fixed gets no more than that. */
const isWithin = (needed = '', granted = needed): boolean =>
  needed.split(' ').every((scope) => granted.split(' ').includes(scope))

/** The handler of the session may be set, replaced and removed at any time. */
function followStepUps(branch: SteppingBranch, { requests }: { readonly requests: Gate }): void {
  let followed: StepUps | undefined
  let own: StepUps | undefined
  Object.defineProperty(branch.gate, 'stepUp', {
    get() {
      const stepUp = requests.stepUp as StepUps | undefined
      if (stepUp !== followed) {
        followed = stepUp
        own = stepUp?.ofBranch(branch)
      }
      return own
    },
  })
}

function requestOf({ resource = [], scope, extra = {} }: BranchOptions): BranchRequest {
  const parameters = Object.entries(extra)
  for (const name of [resource].flat()) parameters.push(['resource', name])
  if (scope !== undefined) parameters.push(['scope', scope])
  if (parameters.length === 0) throw new TypeError(messageOf('no_target_of_branch'))
  return { parameters }
}

type SessionActor = Pick<Auth, 'actor'>

/** The branches of a session. It gets them with the first one. */
function branchesOf(session: SessionParts, auth: SessionActor): Branches {
  const { sharing } = session
  if (sharing.branches instanceof Branches) return sharing.branches
  const branches = new Branches(session, untilAnswered(auth))
  sharing.branches = branches
  ;(auth as unknown as AuthFacade).stopWith([() => branches.dispose(new DisposedError())])
  return branches
}

/** Resolves when the attempt to refresh that runs is answered, or given up. */
function untilAnswered({ actor }: SessionActor): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (actor.getSnapshot().matches({ refreshing: { attempt: 'requesting' } })) return
      resolve()
      subscription.unsubscribe()
    }
    const subscription = actor.subscribe({ next: check, complete: resolve })
    check()
  })
}
