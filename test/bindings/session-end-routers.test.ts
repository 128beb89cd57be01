import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  redirect,
} from '@tanstack/react-router'
import { createMemoryRouter, redirect as reactRedirect } from 'react-router'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRouter as createVueRouter, createMemoryHistory as vueHistory } from 'vue-router'
import { onSessionEnd, requireSession } from '../../src/bindings/guard.ts'
import type { Auth } from '../../src/index.ts'
import { createHarness, LIFETIME, refused } from '../core/auth-setup.ts'

const LOGIN = '/login?returnTo=/notes'

/** Routers with a public page and a guarded one. Each starts at a page, and returns its location. */
const routers = {
  async 'React Router'(auth: Auth<never>, start: string) {
    const router = createMemoryRouter(
      [
        { path: '/login' },
        { path: '/about' },
        {
          path: '/notes',
          loader: async ({ request }) => {
            const login = await requireSession(auth, { url: request.url, loginPath: '/login' })
            if (login) throw reactRedirect(login)
            return null
          },
        },
      ],
      { initialEntries: [start] },
    )
    onTestFinished(() => router.dispose())
    onSessionEnd(auth, () => void router.revalidate())
    await vi.waitFor(() => expect(router.state.initialized).toBe(true))
    return () => router.state.location.pathname + router.state.location.search
  },

  async 'TanStack Router'(auth: Auth<never>, start: string) {
    const root = createRootRoute()
    const page = (path: string) => createRoute({ getParentRoute: () => root, path })
    const notes = createRoute({
      getParentRoute: () => root,
      path: '/notes',
      beforeLoad: async ({ location }) => {
        const login = await requireSession(auth, { url: location.href, loginPath: '/login' })
        if (login) throw redirect({ href: login })
      },
    })
    const router = createRouter({
      routeTree: root.addChildren([page('/login'), page('/about'), notes]),
      history: createMemoryHistory({ initialEntries: [start] }),
      isServer: false,
      origin: 'http://localhost',
    })
    await router.load()
    onSessionEnd(auth, () => void router.invalidate())
    return () => router.history.location.href
  },

  async 'Vue Router'(auth: Auth<never>, start: string) {
    const component = { render: () => null }
    const router = createVueRouter({
      history: vueHistory(),
      routes: [
        { path: '/login', component },
        { path: '/about', component },
        { path: '/notes', component, meta: { requiresSession: true } },
      ],
    })
    router.beforeEach((to) =>
      to.meta.requiresSession ? requireSession(auth, { url: to.fullPath, loginPath: '/login' }) : true,
    )
    await router.push(start)
    onSessionEnd(auth, () => void router.replace({ ...router.currentRoute.value, force: true }))
    return () => router.currentRoute.value.fullPath
  },
}

describe.each(Object.entries(routers))('%s', (_, open) => {
  it('leaves a guarded page when the user signs out', async () => {
    const { auth } = createHarness()
    const at = await open(auth, '/notes')
    expect(at()).toBe('/notes')
    await auth.signOut()
    await vi.waitFor(() => expect(decodeURIComponent(at())).toBe(LOGIN))
  })

  it('leaves a guarded page when the session expires', async () => {
    const { auth, clock, refresh } = createHarness()
    const at = await open(auth, '/notes')
    await clock.advance(LIFETIME - 1)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    await vi.waitFor(() => expect(decodeURIComponent(at())).toBe(LOGIN))
  })

  it('stays on a page without a guard', async () => {
    const { auth } = createHarness()
    const at = await open(auth, '/about')
    await auth.signOut()
    await new Promise((resolve) => setTimeout(resolve))
    expect(at()).toBe('/about')
  })
})
