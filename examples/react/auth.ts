import { createAuthContext } from 'authchart/react'
import type { auth } from '../common/session.ts'

/** The hooks and components, with the types of this app's session. */
export const { AuthProvider, Expired, Restoring, SignedIn, SignedOut, useAuth, useAuthState, useSession } =
  createAuthContext<typeof auth>()
