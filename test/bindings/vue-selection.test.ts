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
import { rig, tokens } from '../core/auth-setup.ts'
import { countListeners } from './listeners.ts'

const ada = () => rig({ initialTokens: tokens(1, { subject: 'ada' }) })
type Rig = ReturnType<typeof ada>

/** Renews the token, and looks at what is there meanwhile. */
async function renew({ auth, clock, refresh }: Rig, look = () => {}) {
  const renewed = auth.refresh()
  await clock.advance(0)
  look()
  refresh.call().resolve(tokens(2, { subject: 'ada' }))
  await renewed
  await clock.advance(0)
}

/** Runs in a scope that ends with the test. */
function within<T>(run: () => T): T {
  const scope = effectScope()
  onTestFinished(() => scope.stop())
  return scope.run(run) as T
}

describe('useSession and useAuthState of authchart/vue', () => {
  it('are what they are at once, and change with the session', async () => {
    const { auth } = ada()
    const [name, state] = within(() => [useSession(auth, (s) => s?.subject), useAuthState(auth)] as const)
    expect([name.value, state.value]).toEqual(['ada', 'authenticated'])
    void auth.signOut()
    expect([name.value, state.value]).toEqual([undefined, 'signingOut'])
  })

  it('change when what they select changes, and then only', async () => {
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
    await renew(session, () => expect(changes.splice(0)).toEqual(['state']))
    expect(changes.splice(0).sort()).toEqual(['pair', 'state', 'whole'])
    auth.actor.send({ type: 'storage.failed', reason: 'timeout' })
    expect(changes.splice(0)).toEqual([])
    auth.actor.send({ type: 'request.held', count: 3, held: 3 })
    expect(changes.splice(0)).toEqual(['held'])
    void auth.signOut()
    expect(changes).toEqual(
      expect.arrayContaining(['subject', 'pair', 'equalPair', 'whole', 'state', 'view']),
    )
  })

  it('do not ask whether a selection is what it was before there is one', () => {
    const { auth } = rig({ signedOut: true })
    const isEqual = vi.fn(() => false)
    const name = within(() => useSession(auth, (session) => session?.subject, isEqual))
    expect(name.value).toBeUndefined()
    expect(isEqual).not.toHaveBeenCalled()
  })

  it('give the same session object until the next token set', async () => {
    const session = ada()
    const current = within(() => useSession(session.auth))
    const before = current.value
    expect(before).toBe(session.auth.session)
    await renew(session, () => expect(current.value).toBe(before))
    expect(current.value).toBe(session.auth.session)
    expect(current.value?.generation).toBe(2)
  })

  it('select anew when another ref changes that they read', () => {
    const { auth } = ada()
    const field = ref<'subject' | 'epoch'>('subject')
    const value = within(() => useSession(auth, (session) => session?.[field.value]))
    expect(value.value).toBe('ada')
    field.value = 'epoch'
    expect(value.value).toBe(1)
  })

  it('are refs that nobody can write', () => {
    const { auth } = ada()
    const name = within(() => useSession(auth, (session) => session?.subject))
    expect([isRef(name), isReadonly(name)]).toEqual([true, true])
  })

  it('stop listening with the scope they were made in', async () => {
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

  it('need no scope in a module that lives as long as the app', async () => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    const { auth } = ada()
    const name = useSession(auth, (session) => session?.subject)
    expect(name.value).toBe('ada')
    await auth.signOut()
    expect(name.value).toBeUndefined()
    expect(warn).not.toHaveBeenCalled()
  })

  it('know an auth that somebody has made reactive', () => {
    const { auth } = ada()
    const store = reactive({ auth })
    const whole = (given: typeof auth) => useAuthState(given, (snapshot) => snapshot)
    const [seen, known] = within(() => [whole(store.auth as typeof auth), whole(auth)] as const)
    expect(seen.value).toBe(known.value)
    const app = createApp({}).use(createAuthPlugin(store.auth as typeof auth))
    // A difference in it would be printed, and it is too large for that.
    expect(app.runWithContext(() => useAuth() === auth)).toBe(true)
  })
})

describe('the plugin of authchart/vue', () => {
  it('gives the auth to everything that asks within the app', () => {
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

  it('is missed in so many words', async () => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    const missing = (asker: string) =>
      `${asker} found no auth. Install it with app.use(createAuthPlugin(auth)), and ask for it in setup().`
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

  it('gives each of two apps its own', () => {
    const apps = ['ada', 'grace'].map((subject) =>
      createApp({}).use(createAuthPlugin(rig({ initialTokens: tokens(1, { subject }) }).auth)),
    )
    expect(apps.map((app) => app.runWithContext(() => useAuth().session?.subject))).toEqual(['ada', 'grace'])
  })
})

describe('useReady of authchart/vue', () => {
  it('resolves when the stored session was read', async () => {
    const { auth, clock, refresh } = rig({ signedOut: true, silentSignIn: true })
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

  it('rejects where the auth is disposed of meanwhile', async () => {
    const { auth } = rig({ signedOut: true, silentSignIn: true })
    const waited = useReady(auth)
    auth.dispose()
    await expect(waited).rejects.toMatchObject({ name: 'DisposedError' })
  })
})

describe('useSelector of @xstate/vue', () => {
  it('selects from the actor as it stands, and leaves it with its scope', async () => {
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
    await renew(session, () => expect(now()).toEqual([true, true, 1]))
    expect(now()).toEqual([false, true, 2])
    await auth.signOut()
    expect(now()).toEqual([false, false, 2])
    expect(listeners()).toBe(3)
    scope.stop()
    expect(listeners()).toBe(0)
  })
})
