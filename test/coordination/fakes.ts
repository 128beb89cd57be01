import { fakeWebStorage } from '../storage/web-storage-fake.ts'

interface Request {
  readonly run: () => void
  readonly leave: (reason: unknown) => void
}

/** Web Locks for one name after another, as far as tabs need them: exclusive, with a signal for the wait, stolen at will. */
export function fakeLocks() {
  const queue: Request[] = []
  let holder: Request | undefined
  const asked: string[] = []

  function next() {
    holder = queue.shift()
    holder?.run()
  }

  const request = (name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<unknown>) => {
    asked.push(name)
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const mine: Request = {
        async run() {
          try {
            resolve(await callback())
          } catch (error) {
            reject(error)
          }
          if (holder === mine) next()
        },
        leave: reject,
      }
      signal.addEventListener('abort', () => {
        const place = queue.indexOf(mine)
        if (place < 0) return
        queue.splice(place, 1)
        reject(signal.reason)
      })
      queue.push(mine)
      // The browser is asked in another process, so a lock comes a moment later.
      void Promise.resolve().then(() => holder ?? next())
    })
  }

  return {
    asked,
    get held() {
      return holder !== undefined
    },
    get waiting() {
      return queue.length
    },
    /** What `steal: true` does to who holds the lock. */
    steal() {
      holder?.leave(new DOMException('Stolen.', 'AbortError'))
      holder = undefined
    },
    manager: { request } as unknown as LockManager,
  }
}

/** A storage as several tabs see it: what one writes the others see so many milliseconds later, all in the same order. */
export function laggingStorage(tabs: number, lag: number) {
  const views = Array.from({ length: tabs }, fakeWebStorage)
  return views.map((view, mine): Storage => {
    const tell = (change: (other: Storage) => void) => {
      change(view)
      // Also to oneself, as the last word: where two write at once, all end up with what was written last.
      setTimeout(() => {
        for (const other of views) change(other)
      }, lag)
      return mine
    }
    return {
      ...view,
      setItem: (key, value) => void tell((other) => other.setItem(key, value)),
      removeItem: (key) => void tell((other) => other.removeItem(key)),
    }
  })
}

/** An `AbortSignal` of which is known how many listen. */
export function countingSignal() {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<() => void>()
  return {
    abort: (reason: unknown) => controller.abort(reason),
    get listening() {
      return listeners.size
    },
    signal: {
      get aborted() {
        return signal.aborted
      },
      get reason() {
        return signal.reason
      },
      addEventListener(type: 'abort', listener: () => void) {
        listeners.add(listener)
        signal.addEventListener(type, listener)
      },
      removeEventListener(type: 'abort', listener: () => void) {
        listeners.delete(listener)
        signal.removeEventListener(type, listener)
      },
    },
  }
}

/** A task that ends when the test says so. */
export function openTask() {
  let resolve = (_: string) => {}
  let reject = (_: unknown) => {}
  let runs = 0
  const ended = new Promise<string>((...settle) => {
    ;[resolve, reject] = settle
  })
  return {
    task: () => {
      runs++
      return ended
    },
    get runs() {
      return runs
    },
    resolve: (value: string) => resolve(value),
    reject: (error: unknown) => reject(error),
  }
}
