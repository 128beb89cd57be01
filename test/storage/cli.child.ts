/** Runs in a child process: a command-line tool that shares its session. The first parameter selects the task. */
import { writeSync } from 'node:fs'
import { fileCoordinator, fileStorage } from '../../src/file.ts'
import { createAuth, type RefreshRequest, type SessionRecord } from '../../src/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

const [task = '', path = '', url = '', milliseconds = '0'] = process.argv.slice(2)

const print = (value: unknown) => console.log(JSON.stringify(value))
const storage = fileStorage(path)
const coordinator = fileCoordinator(path)

const startAuth = () =>
  createAuth({
    storage,
    coordinator,
    async refresh({ refreshToken = '', signal }: RefreshRequest) {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
      const response = await fetch(`${url}/token`, { method: 'POST', body, signal })
      if (!response.ok) throw response
      return response.json()
    },
  })

const tasks: Record<string, () => unknown> = {
  /** Sends requests without a pause, and reports their outcomes. */
  async requests() {
    const auth = startAuth()
    const api = createAuthFetch(auth, { origins: [url] })
    const outcomes: Record<string, number> = {}
    await auth.ready()
    print('ready')
    const end = Date.now() + Number(milliseconds)
    while (Date.now() < end) {
      const outcome = await api(`${url}/api/item`).then(
        async (response) => {
          await response.arrayBuffer()
          return String(response.status)
        },
        (error: Error) => `${error.name}: ${error.message}`,
      )
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    const ended = auth.history.filter(({ type }) => ['expired', 'signedOut', 'storageFailed'].includes(type))
    print({ outcomes, state: auth.state, ended, generation: auth.session?.generation })
    auth.dispose()
  },

  /** Refreshes once. */
  async refresh() {
    const auth = startAuth()
    await auth.ready()
    print('refreshing')
    await auth.refresh()
    print({ token: await auth.getAccessToken() })
    auth.dispose()
  },

  /** Refreshes, and exits as soon as it has the token. */
  async exit() {
    const auth = startAuth()
    await auth.ready()
    await auth.refresh()
    writeSync(1, `${JSON.stringify({ token: await auth.getAccessToken() })}\n`)
    process.exit(0)
  },

  /** Refreshes, and disposes of the auth before the token is returned. */
  async dispose() {
    const auth = startAuth()
    await auth.ready()
    await auth.refresh()
    const token = auth.getAccessToken()
    auth.dispose()
    print({ token: await token })
  },

  /** Sends a request, and reaches the end of the script without disposing of the auth. */
  async runToEnd() {
    const auth = startAuth()
    const { status } = await createAuthFetch(auth, { origins: [url] })(`${url}/api/item`)
    print({ status, state: auth.state })
  },

  /** Writes short and long records in turn, for ever. */
  async write() {
    for (let rotation = 0; ; rotation++) {
      const record: SessionRecord = {
        version: 1,
        id: 'k',
        rotation,
        startedAt: 0,
        receivedAt: 0,
        accessToken: 'at'.repeat(1 + (rotation % 2) * 200_000),
      }
      await storage.write(record)
      if (rotation === 0) print('writing')
    }
  },

  /** Writes once, and reports the error. */
  async writeOnce() {
    const record = {
      version: 1,
      id: 'k',
      rotation: 0,
      startedAt: 0,
      receivedAt: 0,
      accessToken: 'SECRET',
    } as const
    try {
      await storage.write({ ...record, accessToken: 'SECRET'.repeat(10_000) })
      print({ error: null })
    } catch (error) {
      print({ ...(error as object), error: String(error) })
    }
  },

  /** Holds the lock for ever. */
  async hold() {
    const { signal } = new AbortController()
    await coordinator.exclusive(
      'refresh',
      () => {
        print('holding')
        return new Promise(() => setInterval(() => {}, 1_000))
      },
      { signal, timeout: 5_000 },
    )
  },

  /** Waits for the lock with a short `staleAfter`, and holds it until it receives input. */
  async holdUntilInput() {
    const { signal } = new AbortController()
    await fileCoordinator(path, { staleAfter: 300 }).exclusive(
      'refresh',
      () => {
        print('holding')
        return new Promise((resolve) => process.stdin.once('data', resolve))
      },
      { signal, timeout: 5_000 },
    )
    process.stdin.destroy()
    print('released')
  },

  /** Takes the lock repeatedly, and adds one to a number in a file each time, as slowly as possible. */
  async count() {
    const { readFile, writeFile, open, rm } = await import('node:fs/promises')
    const { signal } = new AbortController()
    const [number, inside] = [`${path}.count`, `${path}.inside`]
    print('counting')
    let overlaps = 0
    for (let turn = 0; turn < Number(milliseconds); turn++) {
      await coordinator.exclusive(
        'refresh',
        async () => {
          const alone = await open(inside, 'wx').catch(() => undefined)
          if (!alone) overlaps++
          await writeFile(number, `${Number(await readFile(number, 'utf8')) + 1}`)
          await alone?.close()
          await rm(inside, { force: true })
        },
        { signal, timeout: 30_000 },
      )
    }
    print({ overlaps })
  },
}

await tasks[task]?.()
