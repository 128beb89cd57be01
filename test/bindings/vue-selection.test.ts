import { useSelector } from '@xstate/vue'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp, effectScope, isReadonly, isRef, type Ref, reactive, ref, watch } from 'vue'
import {
  createAuthContext,
  createAuthPlugin,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from '../../src/bindings/vue.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'
import { deliver } from '../support/deliver.ts'
import { countListeners } from './listeners.ts'

const ada = () => createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
type Harness = ReturnType<typeof ada>

/** Refreshes the token, and calls `look` in the meantime. */
async function refreshToken({ auth, clock, refresh }: Harness, look = () => {}) {
  const renewed = auth.refresh()
  await clock.advance(0)
  look()
  refresh.call().resolve(tokens(2, { subject: 'ada' }))
  await renewed
  await clock.advance(0)
}

/** Runs a function in a scope that ends with the test. */
function within<T>(run: () => T): T {
  const scope = effectScope()
  onTestFinished(() => scope.stop())
  return scope.run(run) as T
}

describe('useSession and useAuthState of authchart/vue', () => {
  it('have their value at once, and change with the session', async () => {
    const { auth } = ada()
    const [name, state] = within(() => [useSession(auth, (s) => s?.subject), useAuthState(auth)] as const)
    expect([name.value, state.value]).toEqual(['ada', 'authenticated'])
    void auth.signOut()
    expect([name.value, state.value]).toEqual([undefined, 'signingOut'])
  })

  it('change only when the selected value changes', async () => {
    const session = ada()
    const { auth } = session
    const changes: string[] = []
    within(() => {
      const selections = {
        subject: useSession(auth, (session) => session?.subject),
        pair: useSession(auth, (session) => [session?.subject, session?.epoch]),
        equalPair: useSession(
          auth,
          (session) => [session?.subject, session?.epoch],
          (a, b) => `${a}` === `${b}`,
        ),
        whole: useSession(auth),
        state: useAuthState(auth),
        view: useAuthState(auth, ({ view }) => view),
        held: useAuthState(auth, ({ held }) => held),
      }
      for (const [name, selection] of Object.entries(selections))
        watch(selection as Ref<unknown>, () => changes.push(name), { flush: 'sync' })
    })
    await refreshToken(session, () => expect(changes.splice(0)).toEqual(['state']))
    expect(changes.splice(0).sort()).toEqual(['pair', 'state', 'whole'])
    deliver(auth, { type: 'store.failed', reason: 'timeout' })
    expect(changes.splice(0)).toEqual([])
    deliver(auth, { type: 'request.held', count: 3, held: 3 })
    expect(changes.splice(0)).toEqual(['held'])
    void auth.signOut()
    expect(changes).toEqual(
      expect.arrayContaining(['subject', 'pair', 'equalPair', 'whole', 'state', 'view']),
    )
  })

  it('do not call isEqual before there is a previous selection', () => {
    const { auth } = createHarness({ signedOut: true })
    const isEqual = vi.fn(() => false)
    const name = within(() => useSession(auth, (session) => session?.subject, isEqual))
    expect(name.value).toBeUndefined()
    expect(isEqual).not.toHaveBeenCalled()
  })

  it('return the same session object until the next token set', async () => {
    const session = ada()
    const current = within(() => useSession(session.auth))
    const before = current.value
    expect(before).toBe(session.auth.session)
    await refreshToken(session, () => expect(current.value).toBe(before))
    expect(current.value).toBe(session.auth.session)
    expect(current.value?.generation).toBe(2)
  })

  it('select again when another ref changes that the selector reads', () => {
    const { auth } = ada()
    const field = ref<'subject' | 'epoch'>('subject')
    const value = within(() => useSession(auth, (session) => session?.[field.value]))
    expect(value.value).toBe('ada')
    field.value = 'epoch'
    expect(value.value).toBe(1)
  })

  it('are read-only refs', () => {
    const { auth } = ada()
    const name = within(() => useSession(auth, (session) => session?.subject))
    expect([isRef(name), isReadonly(name)]).toEqual([true, true])
  })

  it('stop listening when their scope ends', async () => {
    const { auth } = ada()
    const listeners = countListeners(auth)
    const scope = effectScope()
    const [name] = scope.run(() => [useSession(auth, (s) => s?.subject), useAuthState(auth)]) ?? []
    expect(listeners()).toBe(2)
    scope.stop()
    expect(listeners()).toBe(0)
    await auth.signOut()
    expect(name?.value).toBe('ada')
  })

  it('work without a scope in a module', async () => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    const { auth } = ada()
    const name = useSession(auth, (session) => session?.subject)
    expect(name.value).toBe('ada')
    await auth.signOut()
    expect(name.value).toBeUndefined()
    expect(warn).not.toHaveBeenCalled()
  })

  it('accept an auth that was made reactive', () => {
    const { auth } = ada()
    const store = reactive({ auth })
    const whole = (given: typeof auth) => useAuthState(given, (snapshot) => snapshot)
    const [seen, known] = within(() => [whole(store.auth as typeof auth), whole(auth)] as const)
    expect(seen.value).toBe(known.value)
    const app = createApp({}).use(createAuthPlugin(store.auth as typeof auth))
    // Compare with `Object.is`: a failed `toBe` would print the object, which is too large.
    expect(app.runWithContext(() => useAuth() === auth)).toBe(true)
  })

  it('do not keep an auth in a reactive object from working', async () => {
    const { auth } = ada()
    const store = reactive({ auth, actor: auth.actor })
    expect(store.auth.session?.subject).toBe('ada')
    expect(store.auth.endsAt).toBe(auth.endsAt)
    expect(store.auth.history).toEqual(auth.history)
    store.actor.subscribe(() => {}).unsubscribe()
    store.auth.actor.on('*', () => {}).unsubscribe()
    const fetch = vi.fn(async () => new Response('answer'))
    const api = createAuthFetch(store.auth as typeof auth, { origins: ['https://api.test'], fetch })
    expect(await (await api('https://api.test/')).text()).toBe('answer')
  })
})

describe('the plugin of authchart/vue', () => {
  it('provides the auth to all components of the app', () => {
    const { auth } = ada()
    const app = createApp({}).use(createAuthPlugin(auth))
    within(() =>
      app.runWithContext(() => {
        expect(useAuth() === auth).toBe(true)
        expect(useSession()).toMatchObject({ value: { subject: 'ada' } })
        expect(useAuthState(({ held }) => held).value).toBe(0)
      }),
    )
  })

  it('is named in the error of every composable if it is missing', async () => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    const missing = (caller: string) =>
      `${caller} found no auth. Install it with app.use(createAuthPlugin(auth)), and call this in setup().`
    const ask = () => {
      expect(() => useAuth()).toThrow(missing('useAuth()'))
      expect(() => useSession()).toThrow(missing('useSession()'))
      expect(() => useAuthState(({ view }) => view)).toThrow(missing('useAuthState()'))
      return expect(useReady()).rejects.toThrow(missing('useReady()'))
    }
    await ask()
    await createApp({}).runWithContext(ask)
    await createApp({}).use(createAuthContext().createAuthPlugin(ada().auth)).runWithContext(ask)
    expect(warn).not.toHaveBeenCalled()
  })

  it('provides a separate auth to each of two apps', () => {
    const apps = ['ada', 'grace'].map((subject) =>
      createApp({}).use(createAuthPlugin(createHarness({ initialTokens: tokens(1, { subject }) }).auth)),
    )
    expect(apps.map((app) => app.runWithContext(() => useAuth().session?.subject))).toEqual(['ada', 'grace'])
  })
})

describe('useReady of authchart/vue', () => {
  it('resolves when the stored session has been read', async () => {
    const { auth, clock, refresh } = createHarness({ signedOut: true, silentSignIn: true })
    let ready = false
    const waited = useReady(auth).then(() => {
      ready = true
    })
    await clock.advance(0)
    expect(ready).toBe(false)
    refresh.call().resolve(tokens(1))
    await waited
    expect(auth.state).toBe('authenticated')
  })

  it('rejects if the auth is disposed of in the meantime', async () => {
    const { auth } = createHarness({ signedOut: true, silentSignIn: true })
    const waited = useReady(auth)
    auth.dispose()
    await expect(waited).rejects.toMatchObject({ name: 'DisposedError' })
  })
})

describe('useSelector of @xstate/vue', () => {
  it('selects from the current snapshot, and stops listening with its scope', async () => {
    const session = ada()
    const { auth } = session
    const listeners = countListeners(auth)
    const scope = effectScope()
    const selected = scope.run(() => ({
      busy: useSelector(auth.actor, (snapshot) => snapshot.hasTag('busy')),
      signedIn: useSelector(auth.actor, (snapshot) => snapshot.hasTag('session')),
      generation: useSelector(auth.actor, ({ context }) => context.generation),
    }))
    const now = () => Object.values(selected ?? {}).map(({ value }) => value)
    expect(now()).toEqual([false, true, 1])
    await refreshToken(session, () => expect(now()).toEqual([true, true, 1]))
    expect(now()).toEqual([false, true, 2])
    await auth.signOut()
    expect(now()).toEqual([false, false, 2])
    expect(listeners()).toBe(3)
    scope.stop()
    expect(listeners()).toBe(0)
  })
})
