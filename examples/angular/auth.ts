import { createAuthContext } from 'authchart/angular'
import type { auth } from '../common/session.ts'

/** The providers and inject functions, with the types of this app's session. */
export const { provideAuth, injectAuth, injectAuthState, injectAuthView, injectSession } =
  createAuthContext<typeof auth>()
