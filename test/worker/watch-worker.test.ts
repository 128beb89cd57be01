import { expect, it, onTestFinished, vi } from 'vitest'
import { watchWorker } from '../../src/worker/watch-worker.ts'

it('a prerendered page waits for its worker only once it is shown', async () => {
  const document = Object.assign(new EventTarget(), { prerendering: true })
  vi.stubGlobal('document', document)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const onTimeout = vi.fn()
  const watch = watchWorker({
    timeout: 10_000,
    ping() {},
    isWaiting: () => true,
    onTimeout,
    onGone: () => expect.unreachable(),
  })
  watch.greeted()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onTimeout).not.toHaveBeenCalled()
  document.prerendering = false
  document.dispatchEvent(new Event('prerenderingchange'))
  await vi.advanceTimersByTimeAsync(9_000)
  expect(onTimeout).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_000)
  // A timer gives what it waits for a few turns of the event loop.
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(onTimeout).toHaveBeenCalledTimes(1)
  watch.stop()
  expect(vi.getTimerCount()).toBe(0)
})
