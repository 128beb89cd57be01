/** The scenarios that run inside the page: bundled with either version of React, and called by name from the tests. */
import type { Auth } from 'authchart'
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
} from 'authchart/react'
import {
  Component,
  type ReactNode,
  StrictMode,
  Suspense,
  startTransition,
  useEffect,
  useState,
  version,
} from 'react'
import { flushSync } from 'react-dom'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { deliver } from '../support/deliver.ts'
import { countListeners } from './listeners.ts'
import { createPlace, watchTexts } from './page-place.ts'
import { createSession } from './page-session.ts'
import { rest, until } from './page-waits.ts'
import { RequestPage } from './react-request-page.tsx'
import { textsOfLife } from './session-life.ts'
import { tokens } from './tokens.ts'

function mount(content: ReactNode) {
  const place = createPlace()
  const root = createRoot(place)
  root.render(content)
  return {
    place,
    render: (next: ReactNode) => root.render(next),
    text: () => place.textContent ?? '',
    unmount() {
      root.unmount()
      place.remove()
    },
  }
}

class Boundary extends Component<{ readonly children: ReactNode }, { readonly caught?: Error }> {
  override state: { readonly caught?: Error } = {}
  static getDerivedStateFromError = (caught: Error) => ({ caught })
  override render() {
    const { caught } = this.state
    return caught ? `${caught.name}: ${caught.message}` : this.props.children
  }
}

/** The page of a user, which names the user. */
const In = () => `in ${useSession((session) => session?.subject) ?? 'nobody'}`

export const scenarios = {
  version: () => version,

  /** Returns the error message of each hook without a provider. */
  async outside() {
    const Asker = ({ ask }: { ask: () => unknown }) => <>{String(ask())}</>
    const lone = [
      () => useAuth(),
      () => useSession(),
      () => useAuthState(({ view }) => view),
      () => useReady(),
    ].map((ask) => <Asker key={`${ask}`} ask={ask} />)
    const all = [...lone, <SignedIn key="in">in</SignedIn>, <Restoring key="restoring">…</Restoring>]
    const messages: string[] = []
    for (const one of all) {
      const { text, unmount } = mount(<Boundary>{one}</Boundary>)
      await until(() => text() !== '')
      messages.push(text())
      unmount()
    }
    const { auth } = createSession(tokens('ada'))
    const Direct = () => {
      useReady(auth)
      const name = useSession(auth, (session) => session?.subject)
      return `${name} ${useSession(auth)?.generation} ${useAuthState(auth)} ${useAuthState(auth, ({ held }) => held)}`
    }
    const { text } = mount(<Direct />)
    await until(() => text() !== '')
    return [...messages, text()]
  },

  /** Counts the renders of selections: at first, after a refresh, and after unrelated changes. */
  async draws(strict: boolean) {
    const { auth, answer } = createSession(tokens('ada'))
    const draws = { subject: 0, pair: 0, equalPair: 0, whole: 0, state: 0, held: 0 }
    const shown: Record<string, unknown> = {}
    const draw = (name: keyof typeof draws, value: unknown) => {
      draws[name]++
      shown[name] = value
      return null
    }
    const pair = (session: Auth['session']) => [session?.subject, session?.epoch]
    const Parts = {
      Subject: () =>
        draw(
          'subject',
          useSession((session) => session?.subject),
        ),
      Pair: () => draw('pair', useSession(pair)),
      EqualPair: () =>
        draw(
          'equalPair',
          useSession(
            (session) => pair(session),
            (a, b) => `${a}` === `${b}`,
          ),
        ),
      Whole: () => draw('whole', useSession()),
      State: () => draw('state', useAuthState()),
      Held: () =>
        draw(
          'held',
          useAuthState(({ held }) => held),
        ),
    }
    const parts = (
      <AuthProvider auth={auth}>
        {Object.values(Parts).map((Part) => (
          <Part key={Part.name} />
        ))}
      </AuthProvider>
    )
    const { unmount } = mount(strict ? <StrictMode>{parts}</StrictMode> : parts)
    const counted: (typeof draws)[] = []
    const note = async () => {
      await rest()
      counted.push({ ...draws })
    }
    await note()
    const refreshed = auth.refresh()
    await until(() => shown.state === 'refreshing')
    await answer(tokens('ada', 2))
    await refreshed
    await until(() => shown.state === 'authenticated')
    await note()
    const before = shown.equalPair
    deliver(auth, { type: 'store.failed', reason: 'timeout' })
    await note()
    deliver(auth, { type: 'request.held', count: 3, held: 3 })
    await until(() => shown.held === 3)
    await note()
    unmount()
    return { counted, sameObject: before === shown.equalPair, generation: auth.session?.generation }
  },

  /** Renders with a selector that uses a prop, and returns what it selects with the current prop. */
  async props() {
    const { auth } = createSession(tokens('ada'))
    const drawn: string[] = []
    let set: (key: 'subject' | 'epoch') => void = () => {}
    const Field = () => {
      const [key, setKey] = useState<'subject' | 'epoch'>('subject')
      set = setKey
      const value = useSession((session) => session?.[key])
      drawn.push(`${key}: ${value}`)
      return null
    }
    mount(
      <AuthProvider auth={auth}>
        <Field />
      </AuthProvider>,
    )
    await until(() => drawn.length > 0)
    flushSync(() => set('epoch'))
    return drawn
  },

  /** Returns every text that was on the page during the life of a session. */
  async views(keepExpired: boolean) {
    const session = createSession()
    const { place, text } = mount(
      <AuthProvider auth={session.auth} keepExpired={keepExpired}>
        <SignedIn fallback="-">
          <In />
        </SignedIn>{' '}
        <SignedOut>out</SignedOut> <Expired>expired</Expired> <Restoring>restoring</Restoring>
      </AuthProvider>,
    )
    await until(() => text() !== '')
    return textsOfLife(session, place, rest)
  },

  /** Suspends until the session has been read. An auth that is disposed of in the meantime causes an error. */
  async ready(outcome: 'restored' | 'disposed', inTransition: boolean) {
    const { auth, answer } = createSession()
    const seen: string[] = []
    const Reader = () => {
      useReady()
      return useSession((session) => session?.subject) ?? 'nobody'
    }
    let open = () => {}
    const Page = () => {
      const [isOpen, setOpen] = useState(!inTransition)
      open = () => startTransition(() => setOpen(true))
      return isOpen ? <Reader /> : 'before'
    }
    const { text } = mount(
      <AuthProvider auth={auth}>
        <Boundary>
          <Suspense fallback="waiting">
            <Page />
          </Suspense>
        </Boundary>
      </AuthProvider>,
    )
    await until(() => text() !== '')
    open()
    await rest()
    seen.push(text())
    if (outcome === 'restored') await answer(tokens('ada'))
    else auth.dispose()
    await until(() => text() !== seen[0])
    return [...seen, text()]
  },

  /** The wait fails, as when a worker is lost; then the error boundary is reset. */
  async recover() {
    const { auth, answer } = createSession()
    let failures = 1
    const shaky = new Proxy(auth, {
      get: (target, key) =>
        key === 'ready' && failures-- > 0
          ? () => Promise.reject(new Error('lost'))
          : Reflect.get(target, key, target),
    })
    const Reader = () => {
      useReady()
      return useSession((session) => session?.subject) ?? 'nobody'
    }
    let reset = () => {}
    const Page = () => {
      const [attempt, setAttempt] = useState(0)
      reset = () => setAttempt((before) => before + 1)
      return (
        <Boundary key={attempt}>
          <Suspense fallback="waiting">
            <Reader />
          </Suspense>
        </Boundary>
      )
    }
    const { text } = mount(
      <AuthProvider auth={shaky}>
        <Page />
      </AuthProvider>,
    )
    await until(() => text().includes('lost'))
    const seen = [text()]
    // A user who clicks at once sees the error again.
    await until(() => {
      reset()
      return text() === 'waiting'
    })
    await answer(tokens('ada'))
    await until(() => text() !== 'waiting')
    return [...seen, text()]
  },

  /** Replaces the auth by another one, as hot module replacement does, and then unmounts everything. */
  async swap() {
    const sessions = [createSession(tokens('ada')), createSession(tokens('grace'))] as const
    const counts = sessions.map(({ auth }) => countListeners(auth))
    const Name = () => <>{useSession((session) => session?.subject)} </>
    const app = (auth: AnyAuth) => (
      <StrictMode>
        <AuthProvider auth={auth}>
          <Name />
          <SignedIn>
            <Name />
          </SignedIn>
        </AuthProvider>
      </StrictMode>
    )
    const { text, render, unmount } = mount(app(sessions[0].auth))
    await until(() => text() !== '')
    const seen: unknown[] = [text()]
    const note = async () => {
      await rest()
      seen.push(counts.map((count) => count()))
    }
    await note()
    render(app(sessions[1].auth))
    await until(() => text().startsWith('grace'))
    seen.push(text())
    await note()
    unmount()
    await note()
    return seen
  },

  /** Changes the state during a time-sliced render, and returns whether any render mixed old and new state. */
  async tearing() {
    const { auth } = createSession(tokens('ada'))
    const mixed: string[] = []
    let drawn = 0
    const Slow = () => {
      drawn++
      const end = performance.now() + 4
      while (performance.now() < end);
      return <i>{useSession((session) => session?.subject)}</i>
    }
    let show = () => {}
    const App = () => {
      const [count, setCount] = useState(0)
      show = () => startTransition(() => setCount(60))
      return Array.from({ length: count }, (_, index) => `slow ${index}`).map((key) => <Slow key={key} />)
    }
    const { place } = mount(
      <AuthProvider auth={auth}>
        <App />
      </AuthProvider>,
    )
    await rest()
    new MutationObserver(() => {
      const names = new Set([...place.querySelectorAll('i')].map(({ textContent }) => textContent))
      if (names.size > 1) mixed.push([...names].join(' and '))
    }).observe(place, { childList: true, subtree: true, characterData: true })
    show()
    await until(() => drawn > 10)
    const drawnBefore = drawn
    await auth.setTokens(tokens('grace', 2))
    await until(() => place.querySelectorAll('i').length === 60 && place.textContent === 'grace'.repeat(60))
    return { mixed, inSlices: drawnBefore < 60 }
  },

  /** Nests two contexts. */
  async contexts() {
    const outer = createAuthContext()
    const inner = createAuthContext()
    const Names = () =>
      `${outer.useAuth().session?.subject} ${inner.useSession((session) => session?.subject)}`
    const { text } = mount(
      <outer.AuthProvider auth={createSession(tokens('ada')).auth}>
        <inner.AuthProvider auth={createSession(tokens('grace')).auth}>
          <Names />
        </inner.AuthProvider>
      </outer.AuthProvider>,
    )
    await until(() => text() !== '')
    return text()
  },

  /** Hydrates the page of a signed-in user, whose session is restored later. Returns every text, and what React repaired. */
  async hydrateInitial(html: string, id: string, initial: InitialSession) {
    const { auth, answer } = createSession()
    const mended: string[] = []
    const place = createPlace(html)
    const before = place.querySelector('main')
    const { seen, stop } = watchTexts(place, () => place.textContent ?? '')
    hydrateRoot(place, <RequestPage auth={auth} id={id} waits initial={initial} />, {
      onRecoverableError: (error) => mended.push(String(error)),
    })
    await rest()
    await answer({ ...tokens('ada'), user: { name: 'ada' } })
    await until(() => auth.state === 'authenticated')
    await rest()
    stop()
    return { mended, sameElement: before === place.querySelector('main'), seen }
  },

  /** Hydrates a server's page for a user who is signed in by then. Returns its text, and the mismatches that React repaired. */
  async hydrate(html: string, id: string, waits: boolean) {
    const { auth } = createSession(tokens('ada'))
    const mended: string[] = []
    const place = createPlace(html)
    const before = place.querySelector('main')
    let effects = 0
    const Effect = () => {
      useEffect(() => {
        effects++
      }, [])
      return null
    }
    hydrateRoot(
      place,
      <>
        <RequestPage auth={auth} id={id} waits={waits} />
        <Effect />
      </>,
      { onRecoverableError: (error) => mended.push(String(error)) },
    )
    await until(() => effects > 0 && place.textContent?.includes('waits') === false)
    await rest()
    return { mended, sameElement: before === place.querySelector('main'), text: place.textContent }
  },
}

Object.assign(globalThis, { scenarios })
