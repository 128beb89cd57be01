/** The scenarios of the sequence diagrams: runs of the library against a token server, with a virtual clock. */

import { type AuthOptions, createAuth } from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createRecording, type Delay, follow, overWire, type Participants } from './recording.ts'
import { createSharing } from './sharing.ts'

const TABS: Participants = { A: 'tab A', B: 'tab B', Lock: 'lock', Store: 'store', Token: 'token endpoint' }
const ONE: Participants = { App: 'app', Auth: 'authchart', Api: 'API', Token: 'token endpoint' }

const USUAL: Delay = { there: 20, back: 20 }

/** Creates a server, and sessions on it that start with token 1. */
function createHarness(delays: (path: string) => Delay) {
  const clock = createVirtualClock()
  const server = createTokenServer({ clock })
  const recording = createRecording()

  function session(from: string, options: Partial<AuthOptions> = {}) {
    const wire = overWire({ clock, server, recording, from, delays })
    const post = async (path: string, form: Record<string, string>) => {
      const body = new URLSearchParams(form)
      const response = await wire(`${server.origin}${path}`, { method: 'POST', body })
      return response.ok ? response.json() : Promise.reject(response)
    }
    const auth = createAuth({
      clock,
      refresh: ({ refreshToken = '' }) =>
        post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
      revoke: ({ refreshToken = '' }) => post('/revoke', { token: refreshToken }).catch(() => {}),
      ...options,
    })
    follow(auth, recording, from)
    const send = createAuthFetch(auth, { fetch: wire, origins: [server.origin] })
    /** Sends a request of the app, and records its call and its answer. */
    const api = async (path: string) => {
      recording.message('App', '->>', from, path)
      const answer = await send(`${server.origin}${path}`).then(
        ({ status }) => `${status}`,
        (error: Error) => error.name,
      )
      recording.message(from, '-->>', 'App', `${path} ${answer}`)
    }
    return { auth, api }
  }
  return { clock, server, recording, session }
}

/** Three requests get a 401 at once: one refresh, three replays. */
async function parallel401s(): Promise<string> {
  const back: Readonly<Record<string, number>> = { '/api/a': 20, '/api/b': 24, '/api/c': 28 }
  const { clock, server, recording, session } = createHarness((path) => ({
    there: 20,
    back: back[path] ?? 40,
  }))
  const { auth, api } = session('Auth', { initialTokens: server.issue() })
  await clock.advance(0)
  server.expireAccessTokens()
  const answers = Promise.all(['/api/a', '/api/b', '/api/c'].map(api))
  await clock.advance(1_000)
  await answers
  auth.dispose()
  return recording.toMermaid(ONE)
}

/** A 401 comes after the refresh that it asks for: the request is replayed with the new token, without a second refresh. */
async function late401(): Promise<string> {
  const { clock, server, recording, session } = createHarness((path) =>
    path === '/api/slow' ? { there: 20, back: 200 } : USUAL,
  )
  const { auth, api } = session('Auth', { initialTokens: server.issue() })
  await clock.advance(0)
  server.expireAccessTokens()
  const slow = api('/api/slow')
  const quick = api('/api/quick')
  await clock.advance(1_000)
  await Promise.all([slow, quick])
  auth.dispose()
  return recording.toMermaid(ONE)
}

/** The user signs out during a refresh: the new tokens are discarded and revoked. */
async function signOutMidRefresh(): Promise<string> {
  const { clock, server, recording, session } = createHarness((path) =>
    path === '/token' ? { there: 20, back: 120 } : USUAL,
  )
  const { auth, api } = session('Auth', { initialTokens: server.issue() })
  await clock.advance(0)
  server.expireAccessTokens()
  const waiting = api('/api/me')
  await clock.advance(80)
  recording.message('App', '->>', 'Auth', 'signOut()')
  const signedOut = auth.signOut().then(() => recording.message('Auth', '-->>', 'App', 'signed out'))
  await clock.advance(1_000)
  await Promise.all([waiting, signedOut])
  auth.dispose()
  return recording.toMermaid(ONE)
}

/** Two tabs need a refresh at the same moment: one asks the server, the other finds the new tokens in the store. */
async function tabRace(): Promise<string> {
  const { clock, server, recording, session } = createHarness(() => USUAL)
  const { storage, coordinator } = createSharing(clock, recording)
  const tokens = server.issue()
  const quiet = recording.pause()
  const [a, b] = ['A', 'B'].map(
    (name) =>
      session(name, {
        storage: storage(name),
        coordinator: coordinator(name),
        ...(name === 'A' && { initialTokens: tokens }),
      }).auth,
  )
  await clock.advance(tokens.expires_in * 1_000 - 120_000)
  quiet()
  await clock.advance(120_000)
  a?.dispose()
  b?.dispose()
  return recording.toMermaid(TABS)
}

export const SCENARIOS = {
  'parallel-401s': parallel401s,
  'late-401': late401,
  'sign-out-mid-refresh': signOutMidRefresh,
  'tab-race': tabRace,
}
