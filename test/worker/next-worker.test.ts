import { expect, it, onTestFinished } from 'vitest'
import { onSessionEnd } from '../../src/bindings/guard.ts'
import { storeOf, withInitial } from '../../src/bindings/snapshot.ts'
import { createAuth } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'

const soon = { timeout: 10_000 }

/** Workers that share a store, and a page that creates the next one when its worker ends. */
function start() {
  const storage = memoryStorage()
  const workers: { end(): void }[] = []
  let serves = true
  let subject: string | undefined

  function createWorker() {
    const auth = createAuth<string>({
      storage,
      signIn: async (subject) => ({ access_token: 'a', refresh_token: 'r', expires_in: 60, subject }),
      refresh: () => new Promise<never>(() => {}),
    })
    const { port1, port2 } = new MessageChannel()
    let stop = () => {}
    const serve = () => {
      stop = serveAuth(auth, { port: port2, origins: ['https://api.example.com'] })
    }
    if (subject !== undefined) void auth.signIn(subject).then(serve)
    else if (serves) serve()
    const worker = Object.assign(new EventTarget(), { port: port1 })
    const end = () => {
      // A worker that has ended sends nothing more.
      port2.close()
      stop()
      auth.dispose()
      // As browsers do if they cannot start it.
      worker.dispatchEvent(new Event('error'))
    }
    workers.push({ end })
    return worker
  }

  const page = connectAuth<string>(createWorker)
  onTestFinished(() => {
    page.dispose()
    for (const { end } of workers) end()
  })
  return {
    page,
    storage,
    workers,
    /** Ends the last worker. */
    end: () => workers.at(-1)?.end(),
    /** Another tab is faster, and signs in at the next worker. */
    signInAtNext(name: string) {
      storage.clear()
      subject = name
    },
    /** The next workers send no answer. */
    breakNext() {
      serves = false
    },
    repair() {
      serves = true
    },
  }
}

it('a sign-out that met the end of the worker is done by the next one', async () => {
  const { page, storage, workers, end } = start()
  await page.signIn('ada')
  const signedOut = page.signOut()
  end()
  await signedOut
  expect(workers).toHaveLength(2)
  expect(page.state).toBe('loggedOut')
  expect(storage.read()).toBeUndefined()
})

it('a sign-out while there is no worker is done by the next one', async () => {
  const { page, storage, end } = start()
  await page.signIn('ada')
  end()
  await page.signOut()
  expect(page.state).toBe('loggedOut')
  expect(storage.read()).toBeUndefined()
})

it('a sign-out keeps the page waiting for two workers, and is done by a later one', async () => {
  const { page, storage, workers, end, breakNext, repair } = start()
  await page.signIn('ada')
  breakNext()
  const signedOut = page.signOut()
  end()
  await expect.poll(() => workers.length, soon).toBe(2)
  repair()
  end()
  await signedOut
  expect(storage.read()).toBeDefined()
  await expect.poll(() => workers.length, soon).toBe(3)
  await expect.poll(() => storage.read(), soon).toBeUndefined()
})

it('a sign-out reaches a worker that is late', async () => {
  const storage = memoryStorage()
  const create = () =>
    createAuth<string>({
      storage,
      signIn: async (subject) => ({ access_token: 'a', refresh_token: 'r', expires_in: 60, subject }),
      refresh: () => new Promise<never>(() => {}),
    })
  const before = create()
  await before.signIn('ada')
  before.dispose()
  const { port1, port2 } = new MessageChannel()
  const page = connectAuth<string>(port1, { timeout: 1 })
  await expect(page.ready()).rejects.toMatchObject({ reason: 'timeout' })
  await page.signOut()
  const late = create()
  const stop = serveAuth(late, { port: port2, origins: ['https://api.example.com'] })
  onTestFinished(() => {
    page.dispose()
    stop()
    late.dispose()
    port1.close()
  })
  await expect.poll(() => late.state, soon).toBe('loggedOut')
  expect(storage.read()).toBeUndefined()
})

it('the session of the next worker is another one, although its numbers are the same', async () => {
  const { page, end, signInAtNext } = start()
  const { epoch, generation } = await page.signIn('ada')
  let ends = 0
  onSessionEnd(page, () => ends++)
  signInAtNext('bob')
  end()
  await expect.poll(() => page.session, soon).toMatchObject({ subject: 'bob', epoch, generation })
  expect(ends).toBe(1)
  expect(page.state).toBe('authenticated')
})

it('the initial session of a page is not shown again while the next worker restores a session', async () => {
  const { page, end, signInAtNext } = start()
  const store = withInitial(storeOf(page), { subject: 'ada' })
  expect(store.read().session?.subject).toBe('ada')
  await page.signIn('bob')
  const shown = new Set([store.read().session?.subject])
  page.actor.subscribe(() => shown.add(store.read().session?.subject))
  signInAtNext('eve')
  end()
  await expect.poll(() => page.session?.subject, soon).toBe('eve')
  expect([...shown]).toEqual(['bob', undefined, 'eve'])
})
