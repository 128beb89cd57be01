import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAuth, WorkerError } from '../../src/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'

const origins = ['https://api.example.com']
const timeout = 30

/** A worker that can stop responding without any signal. */
function start() {
  vi.stubGlobal('navigator', {})
  let dumb = false
  const fetch = vi.fn(() => new Promise<Response>(() => {}))
  const auth = createAuth({
    refresh: () => new Promise<never>(() => {}),
    initialTokens: { access_token: 'a' },
  })
  const page = new MessageChannel()
  const worker = new MessageChannel()
  page.port2.addEventListener('message', ({ data }) => dumb || worker.port1.postMessage(data))
  worker.port1.addEventListener('message', ({ data }) => dumb || page.port2.postMessage(data))
  page.port2.start()
  worker.port1.start()
  const stop = serveAuth(auth, { port: worker.port2, origins, fetch })
  const connected = connectAuth(page.port1, { timeout })
  onTestFinished(() => {
    connected.dispose()
    stop()
    auth.dispose()
    page.port1.close()
    worker.port1.close()
  })
  return {
    page: connected,
    api: createAuthFetch(connected, { origins }),
    fetch,
    strikeDumb() {
      dumb = true
    },
  }
}

afterEach(() => void vi.unstubAllGlobals())

describe('a page without Web Locks', () => {
  it('rejects pending calls if the worker stops responding', async () => {
    const { page, api, fetch, strikeDumb } = start()
    await page.ready()
    const asked = api('https://api.example.com/')
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    strikeDumb()
    await expect(asked).rejects.toMatchObject({ code: 'worker_failed', reason: 'gone' })
    await expect(page.refresh()).rejects.toBeInstanceOf(WorkerError)
  })

  it('keeps waiting for a worker that is only slow', async () => {
    const { page, api, fetch } = start()
    await page.ready()
    const posts = vi.spyOn(MessagePort.prototype, 'postMessage')
    onTestFinished(() => posts.mockRestore())
    let settled = false
    api('https://api.example.com/').then(
      () => {},
      () => {
        settled = true
      },
    )
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    const pings = () => posts.mock.calls.filter(([message]) => message.type === 'pong').length
    await expect.poll(pings, { timeout: 5_000 }).toBeGreaterThan(6)
    expect(settled).toBe(false)
  })
})
