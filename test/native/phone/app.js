// An app in React Native: it signs in, refreshes, holds and replays requests, and is suspended.
import './globals.js'
import NetInfo from '@react-native-community/netinfo'
import { createAuth, isSessionError } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { graphqlChallenge } from 'authchart/graphql'
import { asyncStorage, reactNativeEnvironment, secureStorage } from 'authchart/react-native'
import { connect, emit, run, setConnected, sleep } from './device.js'
import { AppState } from './react-native.js'

const API = 'https://api.example.com'
const LIFETIME = 600

/** A server with tokens that rotate. */
function createServer() {
  const server = { log: [], valid: '', refreshToken: '', refreshes: 0, lost: false, refused: false }
  const json = (status, body, headers = {}) => ({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  let count = 0
  const issue = () => {
    server.valid = `at-${++count}`
    server.refreshToken = `rt-${count}`
    return json(200, {
      access_token: server.valid,
      refresh_token: server.refreshToken,
      expires_in: LIFETIME,
      subject: 'ada',
    })
  }
  connect(({ method, url, headers, body }) => {
    if (!url.startsWith(API)) return { status: 204 }
    if (server.lost) throw new Error('lost')
    const path = url.slice(API.length)
    if (path === '/session') return issue()
    if (path === '/token') {
      server.refreshes++
      const isKnown = !server.refused && body.includes(`refresh_token=${server.refreshToken}`)
      return isKnown ? issue() : json(400, { error: 'invalid_grant' })
    }
    const given = headers.authorization ?? headers.Authorization ?? ''
    server.log.push({ method, path, token: given.replace('Bearer ', ''), body: bodyText(body) })
    if (path === '/graphql' && given !== `Bearer ${server.valid}`)
      return json(200, { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    return given === `Bearer ${server.valid}`
      ? json(200, { path })
      : json(401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' })
  })
  return server
}

const bodyText = (body) =>
  Array.isArray(body) ? body.map(({ fieldName, string }) => `${fieldName}=${string}`).join() : body

const sessions = []

function createApp(options = {}) {
  const server = createServer()
  // React Native drops a body that is a `URLSearchParams`.
  const post = async (path, form, signal) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(form).toString()
    const answer = await fetch(`${API}${path}`, { method: 'POST', headers, body, signal })
    return answer.ok ? answer.json() : Promise.reject(answer)
  }
  const auth = createAuth({
    signIn: (user, { signal }) => post('/session', user, signal),
    refresh: ({ refreshToken, signal }) => post('/token', { refresh_token: refreshToken }, signal),
    environment: reactNativeEnvironment({ AppState, NetInfo }),
    ...options,
  })
  sessions.push(auth)
  const events = []
  auth.on('*', ({ type, reason }) => {
    if (type !== 'transition' && type !== 'requestHeld') events.push(reason ? `${type}:${reason}` : type)
  })
  return { server, auth, events, api: createAuthFetch(auth, { origins: [API] }) }
}

const until = (auth, type) => new Promise((resolve) => auth.on(type, resolve))
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** An AsyncStorage or a SecureStore in memory. */
function createStore() {
  const values = new Map()
  const getItem = async (key) => values.get(key) ?? null
  const setItem = async (key, value) => void values.set(key, value)
  const removeItem = async (key) => void values.delete(key)
  return {
    values,
    getItem,
    setItem,
    removeItem,
    getItemAsync: getItem,
    setItemAsync: setItem,
    deleteItemAsync: removeItem,
  }
}

const scenarios = {
  async signIn() {
    const { auth, api, server } = createApp()
    await auth.signIn({ username: 'ada' })
    const answer = await api(`${API}/me`)
    return { state: auth.state, body: await answer.json(), token: server.log[0].token }
  },

  async replay() {
    const { auth, api, server } = createApp()
    await auth.signIn({ username: 'ada' })
    server.valid = 'other'
    const withForms = createAuthFetch(auth, {
      origins: [API],
      fetch: (url, init) => fetch(url, { ...init, body: init.body.toString() }),
    })
    const form = new FormData()
    form.append('name', 'Ada')
    const answers = await Promise.all([
      api(`${API}/text`, { method: 'POST', body: 'text' }),
      withForms(`${API}/query`, { method: 'POST', body: new URLSearchParams({ a: '1 &', b: '2' }) }),
      api(`${API}/form`, { method: 'POST', body: form }),
      api(
        new Request(`${API}/request`, {
          method: 'POST',
          body: '{"a":1}',
          headers: { 'content-type': 'application/json' },
        }),
      ),
      api(`${API}/get`, { headers: new Headers({ accept: 'text/plain' }) }),
    ])
    return { statuses: answers.map(({ status }) => status), refreshes: server.refreshes, log: server.log }
  },

  async otherOrigin() {
    const { auth, api, server } = createApp()
    await auth.signIn({ username: 'ada' })
    const urls = [
      `${API}.evil.example/`,
      `${API}@evil.example/`,
      'https://evil.example/',
      `${API}\\@evil.example/`,
    ]
    const sent = []
    connect(({ url, headers }) => {
      sent.push([url, headers.authorization ?? headers.Authorization ?? 'none'])
      return { status: 204 }
    })
    for (const url of urls) {
      await api(url)
      await api(new Request(url))
    }
    return { tokens: sent.map(([, token]) => token), refreshes: server.refreshes }
  },

  async hold() {
    const { auth, api, server, events } = createApp({ whenExpired: 'hold' })
    await auth.signIn({ username: 'ada', subject: 'ada' })
    server.valid = 'other'
    server.refused = true
    const answer = api(`${API}/held`)
    const gone = new AbortController()
    const aborted = api(`${API}/aborted`, { signal: gone.signal }).catch((error) => error)
    await until(auth, 'expired')
    await wait(100)
    gone.abort()
    const error = await aborted
    server.refused = false
    const state = auth.state
    await auth.signIn({ username: 'ada' })
    const settled = await answer.catch((problem) => ({ status: problem.code }))
    return { state, error: error?.name, status: settled.status, events }
  },

  async graphql() {
    const { auth, server } = createApp()
    await auth.signIn({ username: 'ada' })
    const api = createAuthFetch(auth, { origins: [API], isChallenge: graphqlChallenge() })
    server.valid = 'other'
    const answer = await api(`${API}/graphql`, { method: 'POST', body: '{}' })
    return { body: await answer.json(), refreshes: server.refreshes }
  },

  async background() {
    const { auth, server } = createApp()
    await auth.signIn({ username: 'ada' })
    emit('appStateDidChange', { app_state: 'background' })
    sleep(LIFETIME * 1_000 * 2)
    const refreshed = until(auth, 'refreshed')
    emit('appStateDidChange', { app_state: 'active' })
    await refreshed
    return { state: auth.state, refreshes: server.refreshes }
  },

  async offline() {
    const { auth, api, server, events } = createApp()
    await auth.signIn({ username: 'ada' })
    server.lost = true
    setConnected(false)
    sleep(LIFETIME * 2_000)
    const answer = api(`${API}/later`)
    await wait(1_000)
    server.lost = false
    setConnected(true)
    return { status: (await answer).status, events }
  },

  async restore() {
    const [plain, secure] = [createStore(), createStore()]
    const states = []
    for (const storage of [() => asyncStorage(plain), () => secureStorage(secure)]) {
      const first = createApp({ storage: storage() })
      await first.auth.signIn({ username: 'ada' })
      first.auth.dispose()
      const second = createApp({ storage: storage() })
      await second.auth.ready()
      states.push(second.auth.state)
      await second.auth.signOut()
    }
    return { states, left: plain.values.size + secure.values.size }
  },

  async ended() {
    const { auth, api, server } = createApp()
    await auth.signIn({ username: 'ada' })
    server.valid = 'other'
    server.refused = true
    const error = await api(`${API}/me`).catch((problem) => problem)
    return {
      error: error.name,
      isSessionError: isSessionError(error),
      reason: error.reason,
      refreshes: server.refreshes,
    }
  },
}

globalThis.startApp = (turn, done) => {
  const all = (async () => {
    const results = {}
    for (const [name, scenario] of Object.entries(scenarios)) {
      const lost = wait(3_600_000).then(() => 'did not end')
      results[name] = await Promise.race([
        scenario().catch((error) => `failed: ${error?.stack ?? error}`),
        lost,
      ])
      setConnected(true)
      for (const auth of sessions.splice(0)) auth.dispose()
    }
    return JSON.stringify(results)
  })()
  all.then(done, (error) => done(String(error)))
  run(all, turn)
}
