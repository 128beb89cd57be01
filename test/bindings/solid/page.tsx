/** @jsxImportSource solid-js */
/** The scenarios that run inside the page, called by name from the tests. */
import { fromActorRef } from '@xstate/solid'
import type { Auth } from 'authchart'
import { safeReturnPath } from 'authchart/guard'
import {
  type AnyAuth,
  AuthProvider,
  createAuthContext,
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
import {
  type Accessor,
  createComputed,
  createResource,
  createRoot,
  createSignal,
  ErrorBoundary,
  type JSX,
  Show,
  Suspense,
} from 'solid-js'
import { hydrate, render } from 'solid-js/web'
import { deliver } from '../../support/deliver.ts'
import { countListeners } from '../listeners.ts'
import { createPlace, watchTexts, wordsOf } from '../page-place.ts'
import { createSession } from '../page-session.ts'
import { rest, until } from '../page-waits.ts'
import { textsOfLife } from '../session-life.ts'
import { tokens } from '../tokens.ts'
import { Private, RequestPage } from './request-page.tsx'
import { open, path, went } from './router.ts'
import { WithSession } from './with-session.tsx'

function mount(content: () => JSX.Element) {
  const place = createPlace()
  const unmount = render(content, place)
  return { place, unmount, text: () => wordsOf(place) }
}

const equalPairs = (a: readonly unknown[], b: readonly unknown[]) => `${a}` === `${b}`

/** The page of a user, which names the user. */
function In() {
  const name = useSession((session) => session?.subject)
  return <>in {name() ?? 'nobody'}</>
}

export const scenarios = {
  /** Changes the user, and signs out, while `<Suspense>` waits for data of the first one. Returns loads, texts and listeners. */
  async waiting() {
    const { auth } = createSession(tokens('ada'))
    await auth.ready()
    const count = countListeners(auth)
    const seen: unknown[] = []
    const rejects: ((reason: Error) => void)[] = []
    function Data() {
      const user = useSession((session) => session?.subject)
      const [data] = createResource(user, (name) => {
        seen.push(`loads ${name}`)
        return new Promise<string>((_, reject) => rejects.push(reject))
      })
      return (
        <>
          {user() ?? 'nobody'} {data()}
        </>
      )
    }
    const { text, unmount } = mount(() => (
      <AuthProvider auth={auth}>
        <ErrorBoundary fallback="error">
          <Suspense fallback="wait">
            <Data />
          </Suspense>
        </ErrorBoundary>
      </AuthProvider>
    ))
    await rest()
    seen.push(text())
    await auth.setTokens(tokens('grace'))
    await rest()
    seen.push(text())
    await auth.signOut()
    for (const reject of rejects) reject(new Error('not for this user'))
    await rest()
    seen.push(text())
    unmount()
    return [...seen, count()]
  },

  /** Returns the error message of each hook without a provider. */
  outside() {
    const lone = [
      () => useAuth(),
      () => useSession(),
      () => useAuthState(({ view }) => view),
      () => useReady(),
      () => <SignedIn>in</SignedIn>,
      () => <Restoring>…</Restoring>,
    ]
    return lone.map((ask) => {
      try {
        return createRoot((dispose) => [ask(), dispose()])
      } catch (error) {
        return (error as Error).message
      }
    })
  },

  /** Records which selections notify: during a refresh, after it, and after unrelated changes. */
  async selections() {
    const { auth, answer } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const log: string[] = []
    const [field, setField] = createSignal<'subject' | 'epoch'>('subject')
    const { dispose, field: selected } = createRoot((dispose) => {
      const pair = (session: Auth['session']) => [session?.subject, session?.epoch]
      const all = {
        subject: useSession(auth, (session) => session?.subject),
        pair: useSession(auth, pair),
        equalPair: useSession(auth, pair, equalPairs),
        whole: useSession(auth),
        state: useAuthState(auth),
        view: useAuthState(auth, ({ view }) => view),
        held: useAuthState(auth, ({ held }) => held),
        field: useSession(auth, (session) => session?.[field()]),
      }
      for (const [name, selection] of Object.entries<Accessor<unknown>>(all))
        createComputed(() => log.push(`${name} ${selection()}`))
      return { dispose, ...all }
    })
    const names = () => [...new Set(log.splice(0).map((line) => line.split(' ')[0]))].sort().join()
    const seen: unknown[] = [log.splice(0).join(), count()]
    const refreshed = auth.refresh()
    await until(() => auth.state === 'refreshing')
    seen.push(names())
    await answer(tokens('ada', 2))
    await refreshed
    await until(() => auth.state === 'authenticated')
    seen.push(names())
    deliver(auth, { type: 'store.failed', reason: 'timeout' })
    seen.push(names())
    deliver(auth, { type: 'request.held', count: 3, held: 3 })
    seen.push(names())
    setField('epoch')
    seen.push(log.splice(0).join(), selected())
    dispose()
    await auth.signOut()
    return [...seen, names(), count()]
  },

  /** Returns every text that was on the page during the life of a session. */
  async views(keepExpired: boolean) {
    const session = createSession()
    const { place } = mount(() => (
      <AuthProvider auth={session.auth} keepExpired={keepExpired}>
        <SignedIn fallback="-">
          <In />
        </SignedIn>{' '}
        <SignedOut>out</SignedOut> <Expired>expired</Expired> <Restoring>restoring</Restoring>
      </AuthProvider>
    ))
    return textsOfLife(session, place, () => Promise.resolve())
  },

  /** Suspends until the session has been read. An auth that is disposed of in the meantime causes an error. */
  async ready(outcome: 'restored' | 'disposed' | 'at once') {
    const { auth, answer } = createSession(outcome === 'at once' ? tokens('ada') : undefined)
    const { text, unmount } = mount(() => (
      <AuthProvider auth={auth}>
        <ErrorBoundary fallback={(error) => error.name}>
          <Suspense fallback="waits">
            <Private />
          </Suspense>
        </ErrorBoundary>
      </AuthProvider>
    ))
    const seen = [text()]
    if (outcome === 'restored') await answer(tokens('ada'))
    if (outcome === 'disposed') auth.dispose()
    await until(() => text() !== 'waits')
    seen.push(text())
    unmount()
    return seen
  },

  /** The wait fails twice, as when a worker is lost. Each time the error boundary is reset. */
  async recover(resource: 'inside' | 'outside') {
    const { auth, answer } = createSession()
    let waits = 0
    const shaky = new Proxy(auth, {
      get: (target, key) =>
        key === 'ready' && ++waits <= 2
          ? () => Promise.reject(new Error('lost'))
          : Reflect.get(target, key, target),
    })
    let reset = () => {}
    const Reader = (props: { readonly ready: Accessor<boolean | undefined> | undefined }) => {
      const ready = props.ready ?? useReady()
      const name = useSession((session) => session?.subject)
      return <Show when={ready()}>{name() ?? 'nobody'}</Show>
    }
    const Page = () => {
      const ready = resource === 'outside' ? useReady() : undefined
      return (
        <ErrorBoundary
          fallback={(error, again) => {
            reset = again
            return error.message
          }}
        >
          <Suspense fallback="waits">
            <Reader ready={ready} />
            <Reader ready={ready} />
          </Suspense>
        </ErrorBoundary>
      )
    }
    const { text, unmount } = mount(() => (
      <AuthProvider auth={shaky}>
        <Page />
      </AuthProvider>
    ))
    const seen: unknown[] = []
    const resets = resource === 'outside' ? 2 : 1
    for (let n = 0; n < resets; n++) {
      await until(() => text() === 'lost')
      await rest()
      seen.push(text(), waits)
      reset()
      seen.push(text())
    }
    await rest()
    seen.push(text(), waits)
    await answer(tokens('ada'))
    await until(() => text() !== 'waits')
    seen.push(text())
    unmount()
    return seen
  },

  /** Replaces the auth by another one, and then unmounts everything. */
  async swap() {
    const sessions = [createSession(tokens('ada')), createSession(tokens('grace'))] as const
    const counts = sessions.map(({ auth }) => countListeners(auth))
    const [auth, setAuth] = createSignal<AnyAuth>(sessions[0].auth)
    const Name = () => {
      const name = useSession((session) => session?.subject)
      return (
        <>
          {name()} {useAuth().session?.subject}{' '}
        </>
      )
    }
    const { text, unmount } = mount(() => (
      <AuthProvider auth={auth()}>
        <Name />
        <SignedIn>
          <Name />
        </SignedIn>
      </AuthProvider>
    ))
    const seen: unknown[] = []
    const note = () => seen.push(text(), ...counts.map((count) => count()))
    note()
    setAuth(sessions[1].auth)
    note()
    unmount()
    note()
    return seen
  },

  /** Changes the option `keepExpired` of a provider after the session has expired. */
  async keepExpired() {
    const { auth, refuse } = createSession(tokens('ada'))
    const [keep, setKeep] = createSignal(false)
    const { text } = mount(() => (
      <AuthProvider auth={auth} keepExpired={keep()}>
        <SignedIn>in</SignedIn> <SignedOut>out</SignedOut>
      </AuthProvider>
    ))
    deliver(auth, { type: 'request.unauthorized', generation: 1 })
    await refuse()
    await until(() => auth.state === 'expired')
    const seen = [text()]
    setKeep(true)
    seen.push(text())
    setKeep(false)
    return [...seen, text()]
  },

  /** Nests two contexts. */
  async contexts() {
    const outer = createAuthContext()
    const inner = createAuthContext()
    const Names = () => {
      const name = inner.useSession((session) => session?.subject)
      return (
        <>
          {outer.useAuth().session?.subject} {name()}
        </>
      )
    }
    const { text } = mount(() => (
      <outer.AuthProvider auth={createSession(tokens('ada')).auth}>
        <inner.AuthProvider auth={createSession(tokens('grace')).auth}>
          <Names />
        </inner.AuthProvider>
      </outer.AuthProvider>
    ))
    return text()
  },

  /** Hydrates a server's page for a user who is signed in by then. Returns its first and later texts. */
  async hydrate(html: string, id: string, waits: boolean, restores: boolean) {
    const { auth, answer } = createSession(restores ? undefined : tokens('ada'))
    const count = countListeners(auth)
    // Like the script that Solid adds to the head.
    Object.assign(window, { _$HY: { events: [], completed: new WeakSet(), r: {}, fe() {} } })
    const place = createPlace(html)
    const before = place.querySelector('main')
    const first = place.textContent
    const { seen, stop } = watchTexts(place, () => place.textContent ?? '')
    const dispose = hydrate(() => <RequestPage auth={auth} id={id} waits={waits} />, place)
    if (restores) {
      await until(() => place.textContent?.includes('waits') === true)
      await answer(tokens('ada'))
    }
    await until(() => place.textContent?.includes('one moment') === false)
    if (waits) await until(() => place.textContent?.includes('private: ada') === true)
    stop()
    const same = place.querySelector('main') === before
    dispose()
    return { first, seen, same, listeners: count() }
  },

  /** Hydrates the page of a signed-in user, whose session is restored later. Returns every text. */
  async hydrateInitial(html: string, id: string, initial: InitialSession) {
    const { auth, answer } = createSession()
    Object.assign(window, { _$HY: { events: [], completed: new WeakSet(), r: {}, fe() {} } })
    const place = createPlace(html)
    const before = place.querySelector('main')
    const { seen, stop } = watchTexts(place, () => place.textContent ?? '')
    const dispose = hydrate(() => <RequestPage auth={auth} id={id} waits initial={initial} />, place)
    await rest()
    await answer({ ...tokens('ada'), user: { name: 'ada' } })
    await until(() => auth.state === 'authenticated')
    await rest()
    stop()
    const same = place.querySelector('main') === before
    dispose()
    return { seen, same }
  },

  /** Guards a page while the user is signed out, signs in, and signs out again. */
  async guard() {
    const { auth, answer, refuse } = createSession()
    let made = 0
    const Notes = () => {
      made++
      return 'notes'
    }
    open('/notes/7?page=2#last')
    const { text, unmount } = mount(() => (
      <AuthProvider auth={auth}>
        <Show when={path().startsWith('/notes')} fallback="sign in">
          <WithSession>
            <Notes />
          </WithSession>
        </Show>
      </AuthProvider>
    ))
    const seen: unknown[] = [text(), made, ...went.splice(0)]
    await refuse()
    await until(() => went.length > 0)
    seen.push(text(), made, ...went.splice(0))
    const signedIn = auth.signIn('ada')
    await answer(tokens('ada'))
    await signedIn
    open(safeReturnPath(new URL(path(), 'http://localhost').searchParams.get('returnTo')))
    seen.push(path(), text(), made)
    await auth.signOut()
    await until(() => went.length > 0)
    seen.push(text(), made, ...went.splice(0))
    unmount()
    return seen
  },

  /** Shows the actor with @xstate/solid. */
  async actor() {
    const { auth, answer } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const log: string[] = []
    const dispose = createRoot((dispose) => {
      const snapshot = fromActorRef(auth.actor)
      createComputed(() => {
        const { context } = snapshot()
        log.push(`generation ${context.generation}`)
      })
      createComputed(() => log.push(snapshot().hasTag('busy') ? 'busy' : 'settled'))
      return dispose
    })
    const refreshed = auth.refresh()
    await answer(tokens('ada', 2))
    await refreshed
    await until(() => auth.state === 'authenticated')
    const listeners = count()
    dispose()
    return { log, listeners: [listeners, count()] }
  },
}

Object.assign(globalThis, { scenarios })
