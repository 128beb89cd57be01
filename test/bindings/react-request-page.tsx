/** A page as a server renders it for one request, and as the browser takes it over. */
import type { Auth } from 'authchart'
import {
  AuthProvider,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from 'authchart/react'
import { StrictMode, Suspense } from 'react'

/** What is known of the user, and by which way: the last is not for views, for it does not hear of changes. */
function Facts() {
  const name = useSession((session) => session?.subject)
  const view = useAuthState(({ view }) => view)
  return (
    <p>
      {view}, {useAuthState()}, {name ?? 'nobody'}
    </p>
  )
}

function Private() {
  useReady()
  return <p>private: {useSession()?.subject ?? 'nobody'}</p>
}

export interface RequestPageProps {
  readonly auth: Auth<never>
  /** Says which request it is for. */
  readonly id: string
  /** Whether a part of it waits for the session. */
  readonly waits?: boolean
}

export function RequestPage({ auth, id, waits = false }: RequestPageProps) {
  return (
    <StrictMode>
      <AuthProvider auth={auth}>
        <main id={id}>
          <Facts />
          <SignedIn fallback={<p>not in</p>}>
            <p>in</p>
          </SignedIn>
          <SignedOut>
            <p>out</p>
          </SignedOut>
          <Restoring>
            <p>one moment</p>
          </Restoring>
          {waits && (
            <Suspense fallback={<p>waits</p>}>
              <Private />
            </Suspense>
          )}
        </main>
      </AuthProvider>
    </StrictMode>
  )
}

/** What only `useAuth` tells a server: which auth a request was given. */
export function Owner() {
  return <b>{useAuth().session?.subject}</b>
}
