/** The scenarios that run inside the page, called by name from the tests. */
import type { Auth } from 'authchart'
import { createAuthContext, createAuthPlugin, type InitialSession, useSession } from 'authchart/vue'
import {
  type Component,
  createApp,
  defineAsyncComponent,
  h,
  nextTick,
  onMounted,
  type Ref,
  shallowRef,
} from 'vue'
import { countListeners } from '../listeners.ts'
import { createPlace, watchTexts, wordsOf } from '../page-place.ts'
import { createSession } from '../page-session.ts'
import { until } from '../page-waits.ts'
import { textsOfLife } from '../session-life.ts'
import { tokens } from '../tokens.ts'
import Facts from './facts.vue'
import { createRequestApp } from './request.ts'
import Views from './views.vue'
import Waits from './waits.vue'

function mount(component: Component, auth: Auth<never>, keepExpired = false) {
  const place = createPlace()
  const app = createApp(component).use(createAuthPlugin(auth, { keepExpired }))
  const errors: unknown[] = []
  app.config.errorHandler = (error) => void errors.push(error)
  app.mount(place)
  return { errors, place, text: () => wordsOf(place), app }
}

export const scenarios = {
  /** Returns every text that was on the page during the life of a session. */
  async views(keepExpired: boolean) {
    const session = createSession()
    const { place } = mount(Views, session.auth, keepExpired)
    return textsOfLife(session, place, nextTick)
  },

  /** Suspends until the session has been read. An auth that is disposed of in the meantime causes an error. */
  async ready(outcome: 'restored' | 'disposed') {
    const { auth, answer } = createSession()
    const { text, errors } = mount(Waits, auth)
    const seen = [text()]
    if (outcome === 'restored') await answer(tokens('ada'))
    else auth.dispose()
    await until(() => text() !== 'waits')
    return [...seen, ...(errors.length > 0 ? errors.map((error) => (error as Error).name) : [text()])]
  },

  /** Calls `useSession` in a lifecycle hook, when the component has its element. */
  async inHook() {
    const { auth, answer } = createSession()
    const names = shallowRef<Readonly<Ref<string | undefined>>[]>([])
    const Late = {
      setup() {
        onMounted(() => {
          names.value = [useSession((session) => session?.subject)]
        })
        return () => h('p', names.value.map(({ value = 'nobody' }) => value).join())
      },
    }
    const count = countListeners(auth)
    const { text, app } = mount(Late, auth)
    await nextTick()
    const seen: unknown[] = [text(), count()]
    await answer(tokens('ada'))
    await until(() => text() === 'ada')
    app.unmount()
    return [...seen, count()]
  },

  /** Uses two contexts in one app. Returns the number of listeners before and after it is unmounted. */
  async contexts() {
    const inner = createAuthContext()
    const sessions = [createSession(tokens('ada')).auth, createSession(tokens('grace')).auth] as const
    const counts = sessions.map(countListeners)
    const place = createPlace()
    const Names = {
      setup() {
        const outerName = useSession((session) => session?.subject)
        const innerName = inner.useSession((session) => session?.subject)
        return () => `${outerName.value} and ${innerName.value}`
      },
    }
    const app = createApp(Names)
    app.use(createAuthPlugin(sessions[0])).use(inner.createAuthPlugin(sessions[1])).mount(place)
    const seen: unknown[] = [place.textContent, counts.map((count) => count())]
    await sessions[1].setTokens(tokens('lise'))
    await nextTick()
    seen.push(place.textContent)
    app.unmount()
    return [...seen, counts.map((count) => count())]
  },

  /** Hydrates a server's page for a user who is signed in by then, or soon after. Returns its first and last text. */
  async hydrate(html: string, id: string, waits: boolean) {
    const { auth, answer } = createSession(waits ? undefined : tokens('ada'))
    const count = countListeners(auth)
    const place = createPlace(html)
    const before = place.querySelector('main')
    const app = createRequestApp(auth, { id, waits })
    const seen: unknown[] = []
    app.mixin({
      mounted(this: { $parent: unknown }) {
        if (!this.$parent) seen.push(place.textContent)
      },
    })
    app.mount(place)
    if (waits) await answer(tokens('ada'))
    await until(() => place.textContent?.includes('one moment') === false)
    if (waits) await until(() => place.textContent?.includes('private: ada') === true)
    seen.push(place.textContent, place.querySelector('main') === before)
    app.unmount()
    return [...seen, count()]
  },

  /** Hydrates the page of a signed-in user, whose session is restored later. Returns every text. */
  async hydrateInitial(html: string, id: string, initial: InitialSession) {
    const { auth, answer } = createSession()
    const place = createPlace(html)
    const before = place.querySelector('main')
    const { seen, stop } = watchTexts(place, () => place.textContent ?? '')
    const app = createRequestApp(auth, { id, waits: true, initial })
    app.mount(place)
    await nextTick()
    await answer({ ...tokens('ada'), user: { name: 'ada' } })
    await until(() => auth.state === 'authenticated')
    await nextTick()
    stop()
    return [seen, place.querySelector('main') === before]
  },

  /** Hydrates a part of a server's page long after the rest. */
  async hydrateLate(html: string, id: string) {
    const { auth } = createSession(tokens('ada'))
    const place = createPlace(html)
    let hydrateNow = () => {}
    const firsts: (string | null | undefined)[] = []
    const Noted = {
      setup() {
        onMounted(() => firsts.push(part()?.textContent))
        return () => h(Facts)
      },
    }
    const late = defineAsyncComponent({
      loader: async () => Noted,
      hydrate(hydrate) {
        hydrateNow = hydrate
        return () => {}
      },
    })
    const part = () => [...place.querySelectorAll('main > p')].at(-1)
    const element = part()
    createRequestApp(auth, { id, late }).mount(place)
    await until(() => place.textContent?.includes('one moment') === false)
    const seen: unknown[] = [part()?.textContent]
    hydrateNow()
    await until(() => part()?.textContent?.includes('ada') === true)
    return [...seen, ...firsts, part()?.textContent, part() === element]
  },
}

Object.assign(globalThis, { scenarios })
