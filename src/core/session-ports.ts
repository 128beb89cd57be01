import { portsOf } from '../../machines/ports.ts'
import type { Auth } from './auth.ts'
import type { SessionPorts } from './create-auth.ts'
import { messageOf } from './messages.ts'
import { BranchSharing } from './session/branch-sharing.ts'

/** The ports of a session in this context: one of `createAuth` or `createBranch`. */
export const portsOfAuth = ({ actor }: Pick<Auth, 'actor'>): SessionPorts =>
  portsOf(actor.getSnapshot().context) as SessionPorts

/**
 * The ports that `createAuth` has made.
 *
 * @param problem the code of the message if it has made none
 * @throws TypeError if the session is a branch, or the page's side of a worker
 */
export function portsOfSession(auth: Pick<Auth, 'actor'>, problem: string): SessionPorts {
  try {
    const ports = portsOfAuth(auth)
    const { sharing } = ports as Partial<SessionPorts>
    if (sharing && !(sharing instanceof BranchSharing)) return ports
  } catch {
    // The chart of a page whose session is in a worker has no ports.
  }
  throw new TypeError(messageOf(problem))
}
