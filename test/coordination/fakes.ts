import { fakeWebStorage } from '../storage/web-storage-fake.ts'

interface Request {
  readonly run: () => void
  readonly reject: (reason: unknown) => void
}

/** Fakes the part of Web Locks that tabs need: one exclusive lock with a signal for the wait. A test can steal it. */
export function fakeLocks() {
  const queue: Request[] = []
  let owner: Request | undefined
  const requested: string[] = []

  function next() {
    owner = queue.shift()
    owner?.run()
  }

  const request = (name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<unknown>) => {
    requested.push(name)
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const mine: Request = {
        async run() {
          try {
            resolve(await callback())
          } catch (error) {
            reject(error)
          }
          if (owner === mine) next()
        },
        reject,
      }
      signal.addEventListener('abort', () => {
        const place = queue.indexOf(mine)
        if (place < 0) return
        queue.splice(place, 1)
        reject(signal.reason)
      })
      queue.push(mine)
      // The browser grants locks in another process, so a lock arrives a moment later.
      void Promise.resolve().then(() => owner ?? next())
    })
  }

  return {
    requested,
    get held() {
      return owner !== undefined
    },
    get waiting() {
      return queue.length
    },
    /** Does what a request with `steal: true` does to the owner of the lock. */
    steal() {
      owner?.reject(new DOMException('Stolen.', 'AbortError'))
      owner = undefined
    },
    manager: { request } as unknown as LockManager,
  }
}

/** Creates one storage for each tab. A write reaches the other tabs after `lag` milliseconds, in the same order for all. */
export function laggingStorage(tabs: number, lag: number) {
  const views = Array.from({ length: tabs }, fakeWebStorage)
  return views.map((view, mine): Storage => {
    const apply = (change: (other: Storage) => void) => {
      change(view)
      // Apply it to the own view again: if two tabs write at once, all views end with the last write.
      setTimeout(() => {
        for (const other of views) change(other)
      }, lag)
      return mine
    }
    return {
      ...view,
      setItem: (key, value) => void apply((other) => other.setItem(key, value)),
      removeItem: (key) => void apply((other) => other.removeItem(key)),
    }
  })
}

/** Creates an `AbortSignal` that counts its listeners. */
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

/** Creates a task that ends when the test resolves or rejects it. */
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
