/** Scenarios with guards in routers for React. */
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider as TanStackProvider,
  redirect as tanstackRedirect,
} from '@tanstack/react-router'
import { AuthError, createAuth, fromCookie } from 'authchart'
import { requireSession } from 'authchart/guard'
import { createRoot } from 'react-dom/client'
import { createMemoryRouter, RouterProvider, redirect } from 'react-router'
import useSWR, { SWRConfig, type SWRConfiguration } from 'swr'
import { createPlace } from './page-place.ts'
import { until } from './page-waits.ts'

const START = '/notes?page=2#last'

function createSession(signedIn: boolean) {
  let answer: (signedIn: boolean) => void = () => {}
  const asked = new Promise<boolean>((resolve) => {
    answer = resolve
  })
  const auth = createAuth({
    silentSignIn: fromCookie(),
    refresh: async () => {
      if (await asked) return { access_token: 'at', expires_in: 60 }
      throw { error: 'login_required' }
    },
  })
  return { auth, restore: () => answer(signedIn) }
}

/** A component that sends a request that always fails. */
type Asker = (props: { ask: () => Promise<string> }) => string

async function countAttempts(
  Ask: Asker,
  wrap: (content: React.ReactNode) => React.ReactNode,
  error: unknown,
) {
  const place = createPlace()
  let attempts = 0
  const ask = () => {
    attempts++
    return Promise.reject(error)
  }
  const root = createRoot(place)
  root.render(wrap(<Ask ask={ask} />))
  await until(() => (error instanceof AuthError ? place.textContent === 'failed' : attempts > 1))
  root.unmount()
  return attempts
}

async function expiredError() {
  const { auth, restore } = createSession(false)
  restore()
  await auth.ready()
  return auth.getAccessToken().catch((error: unknown) => error)
}

export const scenarios = {
  /** Starts the app at a page that requires a session. Returns its final location, and whether that page was loaded. */
  async reactRouter(signedIn: boolean) {
    const { auth, restore } = createSession(signedIn)
    let loads = 0
    const router = createMemoryRouter(
      [
        { path: '/login', element: <p>sign in</p> },
        {
          path: '/notes',
          element: <p>notes</p>,
          hydrateFallbackElement: <p>one moment</p>,
          loader: async ({ request }) => {
            const login = await requireSession(auth, { url: request.url, loginPath: '/login' })
            if (login) throw redirect(login)
            loads++
            return null
          },
        },
      ],
      { initialEntries: [START] },
    )
    createRoot(document.body).render(<RouterProvider router={router} />)
    await until(() => document.body.textContent === 'one moment')
    restore()
    await until(() => /notes|sign in/.test(document.body.textContent))
    const { pathname, search, hash } = router.state.location
    return { loads, at: pathname + search + hash, shows: document.body.textContent }
  },

  async tanstackRouter(signedIn: boolean) {
    const { auth, restore } = createSession(signedIn)
    let loads = 0
    const root = createRootRoute()
    const login = createRoute({ getParentRoute: () => root, path: '/login', component: () => 'sign in' })
    const notes = createRoute({
      getParentRoute: () => root,
      path: '/notes',
      component: () => 'notes',
      beforeLoad: async ({ location }) => {
        const login = await requireSession(auth, { url: location.href, loginPath: '/login' })
        if (login) throw tanstackRedirect({ href: login })
      },
      loader: () => {
        loads++
      },
    })
    const router = createRouter({
      routeTree: root.addChildren([login, notes]),
      history: createMemoryHistory({ initialEntries: [START] }),
    })
    createRoot(document.body).render(<TanStackProvider router={router} />)
    restore()
    await until(() => /notes|sign in/.test(document.body.textContent))
    return { loads, at: router.state.location.href, shows: document.body.textContent }
  },

  /** Counts the attempts of TanStack Query and SWR after a missing session, and after another error. */
  async retries() {
    const client = new QueryClient({
      defaultOptions: {
        queries: { retry: (count, error) => !(error instanceof AuthError) && count < 3, retryDelay: 1 },
      },
    })
    const Query: Asker = ({ ask }) => (useQuery({ queryKey: ['x'], queryFn: ask }).error ? 'failed' : 'waits')
    const Swr: Asker = ({ ask }) => (useSWR('x', ask).error ? 'failed' : 'waits')
    const session = await expiredError()
    const other = new Error('other')
    const query = (error: unknown) => {
      client.clear()
      const wrap = (content: React.ReactNode) => (
        <QueryClientProvider client={client}>{content}</QueryClientProvider>
      )
      return countAttempts(Query, wrap, error)
    }
    /** SWR reports when it will retry. The absence of a retry cannot be awaited. */
    const swr = async (error: unknown) => {
      let retries = 0
      const value: SWRConfiguration = {
        provider: () => new Map(),
        shouldRetryOnError: (error: unknown) => !(error instanceof AuthError),
        onErrorRetry: (_error, _key, _config, revalidate, options) => {
          if (++retries < 3) void revalidate(options)
        },
      }
      const attempts = await countAttempts(
        Swr,
        (content) => <SWRConfig value={value}>{content}</SWRConfig>,
        error,
      )
      return { attempts, retries }
    }
    return {
      name: (session as Error).name,
      query: [await query(session), await query(other)],
      swr: [await swr(session), await swr(other)],
    }
  },
}

Object.assign(globalThis, { scenarios })
