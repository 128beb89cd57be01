import { describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { requireSession, safeReturnPath } from '../../src/bindings/guard.ts'
import type { Auth } from '../../src/index.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'

const Page = { render: () => null }

/** The guard of docs/frameworks/vue.md. */
function createGuardedRouter(auth: Auth<never>) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/login', component: Page },
      { path: '/about', component: Page },
      { path: '/notes/:id', component: Page, meta: { requiresSession: true } },
    ],
  })
  router.beforeEach((to) =>
    to.meta.requiresSession ? requireSession(auth, { url: to.fullPath, loginPath: '/login' }) : true,
  )
  const at = () => router.currentRoute.value.fullPath
  return { router, at }
}

describe('a guard in vue-router 4', () => {
  it('waits until the stored session has been read, and then continues', async () => {
    const { auth, refresh, clock } = createHarness({ signedOut: true, silentSignIn: true })
    const { router, at } = createGuardedRouter(auth)
    const gone = router.push('/notes/7?page=2#last')
    await clock.advance(0)
    expect(at()).toBe('/')
    refresh.call().resolve(tokens(1))
    expect(await gone).toBeUndefined()
    expect(at()).toBe('/notes/7?page=2#last')
  })

  it('redirects a signed-out user to the sign-in page, and back from there', async () => {
    const { auth, refresh, clock } = createHarness({ signedOut: true, silentSignIn: true })
    const { router, at } = createGuardedRouter(auth)
    const gone = router.push('/notes/7?page=2#last')
    await clock.advance(0)
    refresh.call().reject({ error: 'login_required' })
    await gone
    expect(router.currentRoute.value).toMatchObject({
      path: '/login',
      query: { returnTo: '/notes/7?page=2#last' },
    })

    await auth.setTokens(tokens(1))
    await router.replace(safeReturnPath(router.currentRoute.value.query.returnTo))
    expect(at()).toBe('/notes/7?page=2#last')
  })

  it('never redirects to another host', async () => {
    const { auth } = createHarness({ initialTokens: tokens(1) })
    const { router, at } = createGuardedRouter(auth)
    for (const returnTo of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      await router.push({ path: '/login', query: { returnTo } })
      await router.replace(safeReturnPath(router.currentRoute.value.query.returnTo, '/about'))
      expect(at()).toBe('/about')
    }
    await router.push({ path: '/login', query: { returnTo: ['/a', '/b'] } })
    expect(safeReturnPath(router.currentRoute.value.query.returnTo, '/about')).toBe('/about')
  })

  it('does not guard public pages', async () => {
    const { auth } = createHarness({ signedOut: true, silentSignIn: true })
    const { router, at } = createGuardedRouter(auth)
    await router.push('/about')
    expect(at()).toBe('/about')
    expect(auth.state).toBe('restoring')
  })

  it('fails the navigation if the auth is disposed of in the meantime', async () => {
    const { auth } = createHarness({ signedOut: true, silentSignIn: true })
    const { router } = createGuardedRouter(auth)
    const errors: unknown[] = []
    router.onError((error) => errors.push(error))
    const gone = router.push('/notes/7')
    auth.dispose()
    await expect(gone).rejects.toMatchObject({ name: 'DisposedError' })
    expect(errors).toHaveLength(1)
  })
})
