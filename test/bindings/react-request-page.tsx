/** A page that a server renders for one request, and that the browser hydrates. */
import type { Auth } from 'authchart'
import {
  AuthProvider,
  type InitialSession,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from 'authchart/react'
import { StrictMode, Suspense } from 'react'

/** What the page knows about the user, by each hook. The last way is not for views, because it is not updated. */
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
  /** Identifies the request. */
  readonly id: string
  /** Whether a part of the page waits for the session. */
  readonly waits?: boolean
  /** What the server knows of the user. */
  readonly initial?: InitialSession | undefined
}

export function RequestPage({ auth, id, waits = false, initial }: RequestPageProps) {
  return (
    <StrictMode>
      <AuthProvider auth={auth} initialSession={initial}>
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

/** Shows the auth of the request, which a server can read only with `useAuth`. */
export function Owner() {
  return <b>{useAuth().session?.subject}</b>
}

/** Shows the name of the user. */
export function Name() {
  return <i>{String(useSession((session) => session?.user?.name))}</i>
}
