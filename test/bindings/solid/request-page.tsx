/** @jsxImportSource solid-js */
/** A page as a server renders it for one request, and as the browser takes it over. */
import type { Auth } from 'authchart'
import {
  AuthProvider,
  Expired,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from 'authchart/solid'
import { createResource, onMount, Show, Suspense } from 'solid-js'

/** What is known of the user, as a view hears of it. */
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

/** What only `useAuth` tells a server: which auth a request was given. */
function Owner(props: { readonly wait: Promise<void> }) {
  const auth = useAuth()
  const [subject] = createResource(async () => {
    await props.wait
    return auth.session?.subject
  })
  return <b>{subject()}</b>
}

export interface RequestPageProps {
  readonly auth: Auth<never>
  /** Says which request it is for. */
  readonly id: string
  /** Whether a part of it waits for the session. */
  readonly waits?: boolean
  /** Puts something into the midst of the page that comes when this resolves. */
  readonly wait?: Promise<void>
  readonly onMount?: () => void
}

export function RequestPage(props: RequestPageProps) {
  onMount(() => props.onMount?.())
  return (
    <AuthProvider auth={props.auth}>
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
              <Owner wait={wait()} />
            </Suspense>
          )}
        </Show>
      </main>
    </AuthProvider>
  )
}
