import { createAuthContext } from 'authchart/svelte'
import type { auth } from '../common/session.ts'

/** The functions that components call, with the types of this app's session. */
export const { getAuth, setAuth, useAuthState, useAuthView, useSession } = createAuthContext<typeof auth>()
