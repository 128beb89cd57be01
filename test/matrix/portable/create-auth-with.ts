/** Replaces `src/core/create-auth.ts` in the portable suite: the package exports `createAuth`, which has ports of its own. */
import { type AuthOptions, createAuth } from 'authchart'

type Ports = Pick<AuthOptions, 'clock' | 'environment'> & { readonly report: (error: unknown) => void }

export function createAuthWith<Credentials, Claims, User = object>(
  options: AuthOptions<Credentials, User>,
  { report, ...ports }: Ports,
) {
  // The package reports errors of listeners here. Tests run one after another, so the last session is the current one.
  Object.assign(globalThis, { reportError: report })
  return createAuth<Credentials, Claims, User>({ ...ports, ...options })
}
