/** @jsxImportSource solid-js */
/** A page that a server renders for one request, and that the browser hydrates. */
import type { Auth } from 'authchart'
import {
  AuthProvider,
  Expired,
  type InitialSession,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from 'authchart/solid'
import { createResource, onMount, Show, Suspense } from 'solid-js'

/** What a view knows about the user, and is updated for. */
function Facts() {
  const name = useSession((session) => session?.subject)
  const view = useAuthState(({ view }) => view)
  const state = useAuthState()
  return (
    <p>
      {view()}, {state()}, {name() ?? 'nobody'}
    </p>
  )
}

export function Private() {
  const ready = useReady()
  const name = useSession((session) => session?.subject)
  return <Show when={ready()}>private: {name() ?? 'nobody'}</Show>
}

/** Shows the auth of the request, which a server can read only with `useAuth`. */
function Owner(props: { readonly wait: Promise<void> }) {
  const auth = useAuth()
  const [subject] = createResource(async () => {
    await props.wait
    return auth.session?.subject
  })
  return <b>{subject()}</b>
}

/** Shows the name of the user, after a wait. */
function Name(props: { readonly wait: Promise<void> }) {
  const name = useSession((session) => session?.user?.name)
  const [shown] = createResource(async () => {
    await props.wait
    return String(name())
  })
  return <i>{shown()}</i>
}

export interface RequestPageProps {
  readonly auth: Auth<never>
  /** Identifies the request. */
  readonly id: string
  /** Whether a part of the page waits for the session. */
  readonly waits?: boolean
  /** Delays a part in the middle of the page until this resolves. */
  readonly wait?: Promise<void>
  /** What the server knows of the user. */
  readonly initial?: InitialSession | undefined
  readonly onMount?: () => void
}

export function RequestPage(props: RequestPageProps) {
  onMount(() => props.onMount?.())
  return (
    <AuthProvider auth={props.auth} initialSession={props.initial}>
      <main id={props.id}>
        <Facts />
        <SignedIn fallback={<p>not in</p>}>
          <p>in</p>
        </SignedIn>
        <SignedOut>
          <p>out</p>
        </SignedOut>
        <Expired>expired</Expired>
        <Restoring>
          <p>one moment</p>
        </Restoring>
        <Show when={props.waits}>
          <Suspense fallback={<p>waits</p>}>
            <Private />
          </Suspense>
        </Show>
        <Show when={props.wait}>
          {(wait) => (
            <Suspense fallback="…">
              <Show when={props.initial} fallback={<Owner wait={wait()} />}>
                <Name wait={wait()} />
              </Show>
            </Suspense>
          )}
        </Show>
      </main>
    </AuthProvider>
  )
}
