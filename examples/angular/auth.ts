import { createAuthContext } from 'authchart/angular'
import type { auth } from '../common/session.ts'

/** What the app provides and injects, with the types of its session. */
export const { provideAuth, injectAuth, injectAuthState, injectAuthView, injectSession } =
  createAuthContext<typeof auth>()
