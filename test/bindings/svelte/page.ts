/** The scenarios that run inside the page, called by name from the tests. */
import {
  authStateStore,
  getAuth,
  type InitialSession,
  sessionStore,
  useAuthState,
  useAuthView,
  useSession,
} from 'authchart/svelte'
import { type Component, flushSync, hydrate, mount, unmount } from 'svelte'
import { get } from 'svelte/store'
import { deliver } from '../../support/deliver.ts'
import { countListeners } from '../listeners.ts'
import { createPlace, watchTexts, wordsOf } from '../page-place.ts'
import { createSession } from '../page-session.ts'
import { rest, until } from '../page-waits.ts'
import { begin, expireAndEnd } from '../session-life.ts'
import { tokens } from '../tokens.ts'
import Contexts from './contexts.svelte'
import Derived from './derived.svelte'
import Early from './early.svelte'
import Outside from './outside.svelte'
import RequestPage from './request-page.svelte'
import Selections from './selections.svelte'
import Selector from './selector.svelte'
import { stateOf } from './state.svelte.ts'
import Stores from './stores.svelte'
import Views from './views.svelte'
import Wanted from './wanted.svelte'

function show<Props extends Record<string, unknown>>(Shown: Component<Props>, props: Props) {
  const place = createPlace()
  const app = mount(Shown as Component, { target: place, props })
  return { place, text: () => wordsOf(place), end: () => unmount(app) }
}

export const scenarios = {
  /** Hydrates a server's page for a user who is signed in by then. */
  async hydrate(html: string, id: string) {
    const { auth } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const place = createPlace(html)
    const before = place.querySelector('main')
    const app = hydrate(RequestPage, { target: place, props: { auth, id } })
    await until(() => !wordsOf(place).includes('one moment'))
    const seen = [
      wordsOf(place),
      place.querySelector('img')?.getAttribute('src'),
      place.querySelector('main') === before,
    ]
    await unmount(app)
    await rest()
    return [...seen, count()]
  },

  /** Hydrates the page of a signed-in user, whose session is restored later. Returns every text. */
  async hydrateInitial(html: string, id: string, initial: InitialSession) {
    const { auth, answer } = createSession()
    const place = createPlace(html)
    const before = place.querySelector('main')
    const { seen, stop } = watchTexts(place, () => wordsOf(place))
    const app = hydrate(RequestPage, { target: place, props: { auth, id, initial } })
    await rest()
    await answer({ ...tokens('ada'), user: { name: 'ada' } })
    await until(() => auth.state === 'authenticated')
    await rest()
    stop()
    const same = place.querySelector('main') === before
    await unmount(app)
    return [seen, same]
  },

  /** Returns every text that was on the page during the life of a session, up to the end of each phase. */
  async views(keepExpired: boolean) {
    const session = createSession()
    const { place, text } = show(Views, { auth: session.auth, keepExpired })
    const { seen, stop } = watchTexts(place, text)
    const step = async (name: string) => {
      await rest()
      seen.push(`(${name})`)
    }
    await begin(session, step)
    await expireAndEnd(session, step)
    stop()
    return seen
  },

  /** Counts the renders of selections: at first, after a refresh, after unrelated changes, and so on. */
  async draws() {
    const { auth, answer } = createSession(tokens('ada'))
    const draws: Record<string, number> = {}
    const shown: Record<string, unknown> = {}
    const draw = <T>(name: string, value: T) => {
      draws[name] = (draws[name] ?? 0) + 1
      shown[name] = value
      return value
    }
    const field = stateOf<'subject' | 'epoch'>('subject')
    const { end } = show(Selections, { auth, draw, field })
    const counted: Record<string, number>[] = []
    const note = async () => {
      await rest()
      counted.push({ ...draws })
      for (const name of Object.keys(draws)) draws[name] = 0
    }
    await note()
    const before = shown.equalPair
    const refreshed = auth.refresh()
    await until(() => shown.state === 'refreshing')
    await answer(tokens('ada', 2))
    await refreshed
    await note()
    deliver(auth, { type: 'store.failed', reason: 'timeout' })
    await note()
    deliver(auth, { type: 'request.held', count: 3, held: 3 })
    await note()
    field.name = 'epoch'
    await note()
    await auth.setTokens(tokens('grace'))
    await note()
    const values = [shown.subject, shown.held, shown.chosen, shown.equalPair !== before]
    await end()
    return { counted, values }
  },

  /** Changes the other state that a selection reads, then the session, so that the selection is as at first. */
  async wanted() {
    const { auth } = createSession(tokens('ada'))
    const wanted = stateOf<string>('ada')
    const { text, end } = show(Wanted, { auth, wanted })
    const seen = [text()]
    wanted.name = 'grace'
    flushSync()
    seen.push(text())
    await auth.setTokens(tokens('grace'))
    await rest()
    seen.push(text())
    await end()
    return seen
  },

  /** Uses two contexts in one app. Returns the number of listeners before and after it is unmounted. */
  async contexts() {
    const outer = createSession(tokens('ada')).auth
    const inner = createSession(tokens('grace')).auth
    const counts = [outer, inner].map(countListeners)
    const { text, end } = show(Contexts, { outer, inner })
    await until(() => text() === 'ada and grace')
    const seen: unknown[] = [text(), counts.map((count) => count())]
    await inner.setTokens(tokens('lise'))
    flushSync()
    seen.push(text())
    await end()
    await rest()
    return [...seen, counts.map((count) => count())]
  },

  /** Returns the error message of each function without an auth. */
  outside() {
    const asks = [getAuth, useSession, useAuthState, useAuthView] as const
    return asks.map((ask) => {
      try {
        show(Outside, { ask: ask as () => unknown })
        return 'nothing'
      } catch (error) {
        return (error as Error).message.split('\n')[0]
      }
    })
  },

  /** Uses stores inside and outside of a component. Returns their values and the number of listeners. */
  async stores() {
    const { auth, answer } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const user = sessionStore(auth, (session) => session?.subject)
    const seen: unknown[] = [get(user), count()]
    const log: unknown[] = []
    const pairs: unknown[] = []
    const stops = [
      user.subscribe((value) => log.push(value)),
      authStateStore(
        auth,
        ({ view }) => [view],
        (before, after) => `${before}` === `${after}`,
      ).subscribe((value) => pairs.push(...value)),
    ]
    const { text, end } = show(Stores, { auth })
    seen.push(text(), count())
    const refreshed = auth.refresh()
    await until(() => text() === 'ada, refreshing, ada')
    seen.push(count())
    await answer(tokens('ada', 2))
    await refreshed
    await auth.setTokens(tokens('grace'))
    flushSync()
    seen.push(text())
    await end()
    for (const stop of stops) stop()
    await rest()
    await auth.signOut()
    return [...seen, log, pairs, get(user), count()]
  },

  /** Reads selections in a listener, which is called before the templates are notified. Returns the text after each change. */
  async readEarly() {
    const { auth } = createSession(tokens('ada'))
    const read: unknown[] = []
    const { text, end } = show(Early, {
      auth,
      onEvent: (values: unknown[]) => void read.push(values.join(' ')),
    })
    await rest()
    const seen = [text()]
    await auth.setTokens(tokens('grace'))
    await rest()
    seen.push(text())
    await auth.signOut()
    await rest()
    seen.push(text())
    await end()
    return { seen, read: [...new Set(read)] }
  },

  /** Changes the session during a derivation. */
  async derived() {
    const { auth } = createSession(tokens('ada'))
    const { text } = show(Derived, { auth })
    await until(() => text().startsWith('loggedOut'))
    return auth.history.filter(({ type }) => type === 'signedOut').length
  },

  /** Uses XState's own binding on the actor. */
  async selector() {
    const { auth, answer } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const drawn: unknown[] = []
    const { end } = show(Selector, {
      auth,
      draw<T>(value: T) {
        drawn.push(value)
        return value
      },
    })
    const refreshed = auth.refresh()
    await answer(tokens('ada', 2))
    await refreshed
    await rest()
    await auth.setTokens(tokens('grace'))
    await rest()
    await end()
    await rest()
    await auth.signOut()
    return [drawn, count()]
  },
}

Object.assign(globalThis, { scenarios })
