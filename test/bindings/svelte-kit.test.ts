import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { handle, type RequestEvent } from '../../examples/svelte/kit/hooks.server.ts'
import { signIn } from '../../examples/svelte/kit/sign-in.ts'
import { createTokenServer, type ListeningTokenServer, type TokenServer } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

let place: string
let folder: string
let server: TokenServer
let listening: ListeningTokenServer

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'authchart-kit-'))
  folder = join(place, 'sessions')
  await mkdir(folder)
  server = createTokenServer({ jwt: true })
  listening = await server.listen()
  vi.stubEnv('SESSIONS', folder)
  vi.stubEnv('AUTH_SERVER', listening.url)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await listening.close()
  await rm(place, { recursive: true })
})

/** The cookies of a browser. */
const cookieJar = () => {
  const cookies = new Map<string, string>()
  return {
    all: cookies,
    get: (name: string) => cookies.get(name),
    set: (name: string, value: string) => void cookies.set(name, value),
  }
}
type Cookies = ReturnType<typeof cookieJar>

const signedIn = async (username: string, query = '') => {
  const cookies = cookieJar()
  const body = new URLSearchParams({ username, password: 'correct' })
  const request = new Request('http://app.test/login', { method: 'POST', body })
  const response = await signIn({ request, cookies, url: new URL(`http://app.test/login${query}`) })
  return { cookies, response }
}

/** Sends one request to a guarded page, which requests the user from the API. */
const open = (cookies: Cookies, path = '/notes') => {
  const event: RequestEvent = {
    url: new URL(path, 'http://app.test'),
    route: { id: '/(app)/notes' },
    cookies,
    locals: {},
  }
  const resolve = async ({ locals: { auth } }: RequestEvent) => {
    const api = createAuthFetch(auth as never, { origins: [listening.url] })
    const { subject, generation } = await (await api(`${listening.url}/api/me`)).json()
    return Response.json({ subject, generation, session: auth?.session?.claims?.sub })
  }
  return { event, answer: handle({ event, resolve }) }
}
const bodyOf = async (answer: Promise<Response>) => (await answer).json()

describe('a handle of SvelteKit', () => {
  it('redirects a signed-out user to the sign-in page, and back from there', async () => {
    const { status, headers } = await open(cookieJar(), '/notes?page=2').answer
    expect([status, headers.get('location')]).toEqual([303, '/login?returnTo=%2Fnotes%3Fpage%3D2'])
    const { cookies, response } = await signedIn('ada', '?returnTo=%2Fnotes%3Fpage%3D2')
    expect(response.headers.get('location')).toBe('/notes?page=2')
    expect(await bodyOf(open(cookies).answer)).toEqual({ subject: 'ada', generation: 1, session: 'ada' })
  })

  it('redirects a request with a guessed session id, and creates no file for it', async () => {
    await signedIn('ada')
    const files = await readdir(folder)
    const session = files.find((file) => file.endsWith('.json')) ?? ''
    await copyFile(join(folder, session), join(place, 'elsewhere.json'))
    for (const guess of [crypto.randomUUID(), '../elsewhere', session, '']) {
      const cookies = cookieJar()
      cookies.set('session', guess)
      expect((await open(cookies).answer).status).toBe(303)
    }
    expect(await readdir(folder)).toEqual(files)
  })

  it('keeps the users of concurrent requests apart, and refreshes once for each', async () => {
    const [{ cookies: ada }, { cookies: grace }] = await Promise.all([signedIn('ada'), signedIn('grace')])
    server.expireAccessTokens()
    const users = Array.from({ length: 20 }, (_, i) => (i % 2 ? grace : ada))

    const bodies = await Promise.all(users.map((cookies) => bodyOf(open(cookies).answer)))

    expect(bodies).toEqual(
      users.map((cookies) => {
        const subject = cookies === ada ? 'ada' : 'grace'
        return { subject, generation: 2, session: subject }
      }),
    )
    expect(server.refreshes).toBe(2)
  })

  it('disposes of the session at the end of the request', async () => {
    const { cookies } = await signedIn('ada')
    const { event, answer } = open(cookies)
    await answer
    await expect(event.locals.auth?.getAccessToken()).rejects.toMatchObject({ name: 'DisposedError' })
  })

  it('ends the session for every request when the user signs out', async () => {
    const { cookies } = await signedIn('ada')
    const event: RequestEvent = {
      url: new URL('http://app.test/logout'),
      route: { id: '/logout' },
      cookies,
      locals: {},
    }
    await handle({
      event,
      async resolve({ locals: { auth } }) {
        await auth?.signOut()
        return new Response()
      },
    })
    expect((await open(cookies).answer).status).toBe(303)
    expect(server.revocations).toBe(1)
  })

  it('creates a new session id for each sign-in, and none for a wrong password', async () => {
    const { cookies } = await signedIn('ada')
    const { cookies: again } = await signedIn('ada')
    expect(again.get('session')).not.toBe(cookies.get('session'))
    const wrong = cookieJar()
    const body = new URLSearchParams({ username: 'ada', password: 'wrong' })
    const request = new Request('http://app.test/login', { method: 'POST', body })
    await expect(
      signIn({ request, cookies: wrong, url: new URL('http://app.test/login') }),
    ).rejects.toMatchObject({ status: 400 })
    expect(wrong.all.size).toBe(0)
  })
})
