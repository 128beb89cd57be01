/** What runs inside the page, called by name from the tests. */
import { type Auth, createAuth, type TokenResponse } from 'authchart'
import { type AnyAuth, createAuthContext, createAuthPlugin, useSession } from 'authchart/vue'
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
import Facts from './facts.vue'
import { createRequestApp, tokens } from './request.ts'
import Views from './views.vue'
import Waits from './waits.vue'

/** An auth whose refresh and sign-in wait for the test. */
function createSession(initialTokens?: TokenResponse) {
  const waiting: { resolve: (answer: TokenResponse) => void; reject: (error: unknown) => void }[] = []
  const ask = () =>
    new Promise<TokenResponse>((resolve, reject) => {
      waiting.push({ resolve, reject })
    })
  const auth = createAuth({
    refresh: ask,
    signIn: (_: string) => ask(),
    ...(initialTokens ? { initialTokens } : { silentSignIn: true }),
  })
  /** Settles the oldest that waits, when it is there. */
  const settle = async (how: 'resolve' | 'reject', what: TokenResponse) => {
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve))
    waiting.shift()?.[how](what as never)
  }
  return {
    auth,
    answer: (response: TokenResponse) => settle('resolve', response),
    refuse: () => settle('reject', { error: 'invalid_grant' } as TokenResponse),
  }
}

/** Resolves when the condition holds. A test that waits in vain fails by its own timeout. */
async function until(condition: () => boolean) {
  while (!condition()) await new Promise((resolve) => requestAnimationFrame(resolve))
}

/** How many listen to the actor from now on. */
function countListeners({ actor }: AnyAuth) {
  let count = 0
  const { subscribe } = actor
  actor.subscribe = ((...args: Parameters<typeof subscribe>) => {
    count++
    const subscription = subscribe.apply(actor, args)
    let left = false
    return {
      unsubscribe() {
        if (!left) count--
        left = true
        subscription.unsubscribe()
      },
    }
  }) as typeof subscribe
  return () => count
}

function createPlace(html = '') {
  const place = document.createElement('div')
  place.innerHTML = html
  document.body.append(place)
  return place
}

function mount(component: Component, auth: Auth<never>, keepExpired = false) {
  const place = createPlace()
  const app = createApp(component).use(createAuthPlugin(auth, { keepExpired }))
  const errors: unknown[] = []
  app.config.errorHandler = (error) => void errors.push(error)
  app.mount(place)
  return { errors, place, text: () => place.textContent?.replaceAll(/\s+/g, ' ').trim() ?? '', app }
}

export const scenarios = {
  /** Every text that was on the page, through the life of a session. */
  async views(keepExpired: boolean) {
    const { auth, answer, refuse } = createSession()
    const { place, text } = mount(Views, auth, keepExpired)
    const seen: string[] = []
    const look = () => {
      if (seen.at(-1) !== text()) seen.push(text())
    }
    look()
    const observer = new MutationObserver(look)
    observer.observe(place, { childList: true, subtree: true, characterData: true })
    const step = async (name: string) => {
      await nextTick()
      seen.push(name)
      look()
    }
    await refuse()
    await auth.ready()
    await step('nobody')
    const wrong = auth.signIn('wrong').catch(() => {})
    await step('signing in')
    await refuse()
    await wrong
    const right = auth.signIn('right')
    await answer(tokens('ada'))
    await right
    await step('signed in')
    const renewed = auth.refresh()
    await step('refreshing')
    await answer(tokens('ada', 2))
    await renewed
    const again = auth.signIn('again').catch(() => {})
    await step('signing in again')
    await refuse()
    await again
    auth.actor.send({ type: 'request.unauthorized', generation: auth.session?.generation ?? 0 })
    await refuse()
    await until(() => auth.state === 'expired')
    await step('expired')
    const back = auth.signIn('back').catch(() => {})
    await step('signing in after it expired')
    await refuse()
    await back
    const good = auth.signIn('good')
    await answer(tokens('ada', 4))
    await good
    await step('back')
    await auth.signOut()
    await step('left')
    observer.disconnect()
    return seen
  },

  /** Suspends until the session was read; an auth that is disposed of meanwhile is an error. */
  async ready(outcome: 'restored' | 'disposed') {
    const { auth, answer } = createSession()
    const { text, errors } = mount(Waits, auth)
    const seen = [text()]
    if (outcome === 'restored') await answer(tokens('ada'))
    else auth.dispose()
    await until(() => text() !== 'waits')
    return [...seen, ...(errors.length > 0 ? errors.map((error) => (error as Error).name) : [text()])]
  },

  /** Asked for in a hook, when the component has its element. */
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

  /** Two contexts in one app, each with its own auth; and who listens when it is gone. */
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

  /** Takes over a server's page for a user who is signed in by then, or meanwhile; gives what it shows at first, and at last. */
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

  /** Takes over a part of a server's page long after the rest of it. */
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
