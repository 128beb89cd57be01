import { createAuthContext } from 'authchart/vue'
import type { auth } from '../common/session.ts'

/** The plugin, composables and components, with the types of this app's session. */
export const {
  createAuthPlugin,
  Expired,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useSession,
} = createAuthContext<typeof auth>()
