// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import { provideLocationMocks } from '@angular/common/testing'
import { Component, DOCUMENT, ɵConsole } from '@angular/core'
import { provideRouter, Router } from '@angular/router'
import { describe, expect, it } from 'vitest'
import { authGuard, provideAuth } from '../../src/bindings/angular.ts'
import type { AnyAuth } from '../../src/bindings/snapshot.ts'
import { createInjector } from '../conformance/angular-transport.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'

const Page = Component({ selector: 'a-page', template: '' })(class {})

/** Replacements for browser services that a router needs outside of a page. */
const PLATFORM = [
  provideLocationMocks(),
  { provide: ɵConsole, useValue: console },
  { provide: DOCUMENT, useValue: {} },
]

const createRouter = (auth: AnyAuth, loginPath = '/login') =>
  createInjector(
    PLATFORM,
    provideAuth(auth),
    provideRouter([
      { path: 'login', component: Page },
      { path: 'notes/:id', component: Page, canActivate: [authGuard({ loginPath })] },
      {
        path: 'team',
        canActivateChild: [authGuard({ loginPath, param: 'next' })],
        children: [{ path: 'plan', component: Page }],
      },
      { path: '**', component: Page },
    ]),
  ).get(Router)

describe('authGuard', () => {
  it('lets signed-in users pass', async () => {
    const { auth } = createHarness({ initialTokens: tokens(1) })
    const router = createRouter(auth)
    expect(await router.navigateByUrl('/notes/1?page=2')).toBe(true)
    expect(router.url).toBe('/notes/1?page=2')
  })

  it('redirects other users to the sign-in page, with the return path', async () => {
    const { auth } = createHarness({ signedOut: true })
    const router = createRouter(auth)
    await router.navigateByUrl('/notes/1?page=2#last')
    expect(router.url).toBe('/login?returnTo=%2Fnotes%2F1%3Fpage%3D2%23last')
    await router.navigateByUrl(router.parseUrl(router.url).queryParams.returnTo)
    expect(router.url).toBe('/login?returnTo=%2Fnotes%2F1%3Fpage%3D2%23last')
  })

  it('guards child routes, and uses the given name of the query parameter', async () => {
    const { auth } = createHarness({ signedOut: true })
    const router = createRouter(auth, '/login?theme=dark')
    await router.navigateByUrl('/team/plan')
    expect(router.parseUrl(router.url).queryParams).toEqual({ theme: 'dark', next: '/team/plan' })
  })

  it('waits until the stored session has been read', async () => {
    const { auth, clock, refresh } = createHarness({ signedOut: true, silentSignIn: true })
    const router = createRouter(auth)
    const navigation = router.navigateByUrl('/notes/1')
    await clock.advance(0)
    expect(router.url).toBe('/')
    refresh.call().resolve(tokens(1))
    expect(await navigation).toBe(true)
    expect(router.url).toBe('/notes/1')
  })

  it('cancels a navigation that a later one has replaced', async () => {
    const { auth, clock, refresh } = createHarness({ signedOut: true, silentSignIn: true })
    const router = createRouter(auth)
    const first = router.navigateByUrl('/notes/1')
    await clock.advance(0)
    expect(await router.navigateByUrl('/elsewhere')).toBe(true)
    refresh.call().reject({ error: 'invalid_grant', status: 400 })
    await clock.advance(0)
    expect(await first).toBe(false)
    expect(router.url).toBe('/elsewhere')
  })

  it('never redirects to an address on another host', async () => {
    const { auth } = createHarness({ signedOut: true })
    const router = createRouter(auth)
    await router.navigateByUrl('/notes/%2f%2fevil.example')
    expect(router.url).toMatch(/^\/login\?returnTo=%2F/)
    expect(router.parseUrl(router.url).queryParams.returnTo).not.toMatch(/^(\/\/|https?:)/)
  })

  it('throws an explanatory error if no auth is provided', async () => {
    const router = createInjector(
      PLATFORM,
      provideRouter([{ path: 'notes', component: Page, canActivate: [authGuard({ loginPath: '/login' })] }]),
    ).get(Router)
    await expect(router.navigateByUrl('/notes')).rejects.toThrow('authGuard() found no auth.')
  })
})
