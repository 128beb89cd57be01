import { type ChartPorts, connectPorts } from '../../machines/ports.ts'
import type { Auth } from './auth.ts'
import { AuthActor } from './auth-actor.ts'
import { AuthFacade } from './auth-facade.ts'
import { followEnvironment } from './features/environment-signals.ts'
import { ATTACH, type Feature } from './features/feature.ts'
import type { Kernel } from './kernel.ts'
import { Mailbox } from './mailbox.ts'
import { messageOf } from './messages.ts'
import type { AuthOptions, Settings } from './options.ts'
import { BoundedWork } from './platform/bounded-work.ts'
import { PatientClock } from './platform/patient-clock.ts'
import type { Clock, Environment, KnownUser } from './ports.ts'
import { Gate } from './requests/gate.ts'
import type { AttachProof } from './requests/proven-request.ts'
import { policyOf, resolveOptions } from './resolve-options.ts'
import { type CreateLimits, type Limits, UNLIMITED } from './session/limits.ts'
import { TokenOwner } from './session/session.ts'
import { type CreateSharing, type SessionParts, type Sharing, unshared } from './session/sharing.ts'
import { Vault } from './session/vault.ts'

/** What is used if an app names nothing else. */
export interface Defaults {
  readonly clock: Clock
  readonly environment: Environment
  /** Reports errors of listeners. */
  readonly report: (error: unknown) => void
  /** The options, checked and resolved, of many sessions that have the same ones. */
  readonly settings?: Settings
}

/** The ports of a session, and what branches and step-ups need of it. */
export interface SessionPorts extends ChartPorts, SessionParts {
  readonly requests: Gate
  readonly limits: Limits
}

/** `createAuth`, with every port given. Use the one from `authchart`. */
export function createAuthWith<Credentials, Claims, User = object>(
  given: AuthOptions<Credentials, User>,
  defaults: Defaults,
): Auth<Credentials, Claims, KnownUser<User>> {
  const options = given as AuthOptions<never>
  const { report, settings = resolveOptions(options) } = defaults
  const { clock: system = defaults.clock, environment = defaults.environment } = options
  const clock = new PatientClock(system)
  const mailbox = new Mailbox()
  const work = new BoundedWork(clock)
  const kernel: Kernel = { options, settings, clock, environment, mailbox, work, report }
  const mayBeInCookie =
    options.silentSignIn !== undefined || (settings.persist === 'refresh-token' && !!options.storage)
  const vault = new Vault(clock, settings.refreshAhead, mayBeInCookie, settings.singleUser)
  const limits = attachLimits(kernel, vault)
  const sharing = attachSharing(kernel, vault, limits)
  const session = new TokenOwner(kernel, vault, sharing)
  const gate = new Gate(kernel, session, limits)
  const { proof } = options
  if (proof) codeOf<AttachProof>(proof)(kernel, vault, gate)
  const initial = options.initialTokens && session.begin(options.initialTokens)

  const ports: SessionPorts = { clock, session, requests: gate, kernel, vault, sharing, limits }
  const key = connectPorts(ports)
  const policy = policyOf(settings, {
    silentSignIn: options.silentSignIn !== undefined,
    restores: sharing.restores,
  })
  // The chart does not wait for answers by its timers: once is enough, for what other tabs have reported.
  const chartClock = new PatientClock(system, 1)
  const actor = new AuthActor({ policy, session: key, ...(initial && { initial }) }, chartClock, report)
  gate.start(actor)
  const auth = new AuthFacade(kernel, session, gate, limits, actor)
  // The order matters from here on: the chart runs, then it receives what has waited for it, and then other tabs take part.
  actor.start()
  mailbox.open({ send: (event) => actor.deliver(event) })
  if (initial) session.persist()
  auth.stopWith(session.start())
  auth.stopWith(followEnvironment(kernel))
  return auth as unknown as Auth<Credentials, Claims, KnownUser<User>>
}

/**
 * The code that a feature carries.
 *
 * @throws TypeError if it is a plain object; in production builds, which check no options
 */
function codeOf<Code>(feature: Feature): Code {
  const code = feature[ATTACH]
  if (!code) throw new TypeError(messageOf('not_a_feature'))
  return code as Code
}

function attachLimits(kernel: Kernel, vault: Vault): Limits {
  const { limits } = kernel.options
  return limits ? codeOf<CreateLimits>(limits)(kernel, vault) : UNLIMITED
}

function attachSharing(kernel: Kernel, vault: Vault, limits: Limits): Sharing {
  const { storage, coordinator, silentSignIn } = kernel.options
  // All of them bring the same code, unless the last one brings its own.
  const feature = silentSignIn ?? storage ?? coordinator
  return feature ? codeOf<CreateSharing>(feature)(kernel, vault, limits) : unshared()
}
