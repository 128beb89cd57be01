interface Waiter {
  readonly grant: () => void
  readonly reject: (reason: unknown) => void
}

/** Fakes what a worker and its pages use of Web Locks: exclusive locks by name, an abort of the wait, and theft. */
export function namedLocks() {
  const owners = new Map<string, Waiter>()
  const queues = new Map<string, Waiter[]>()

  const queueOf = (name: string) => {
    const queue = queues.get(name) ?? []
    queues.set(name, queue)
    return queue
  }

  function next(name: string) {
    const waiter = queueOf(name).shift()
    if (!waiter) return
    owners.set(name, waiter)
    waiter.grant()
  }

  function request(name: string, ...rest: unknown[]): Promise<unknown> {
    const callback = rest.at(-1) as () => unknown
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal }
    return new Promise((resolve, reject) => {
      const mine: Waiter = {
        async grant() {
          await Promise.resolve(callback()).then(resolve, reject)
          if (owners.get(name) !== mine) return
          owners.delete(name)
          next(name)
        },
        reject,
      }
      signal?.addEventListener('abort', () => {
        const queue = queueOf(name)
        if (queue.includes(mine)) queue.splice(queue.indexOf(mine), 1)
        reject(signal.reason)
      })
      queueOf(name).push(mine)
      queueMicrotask(() => owners.has(name) || next(name))
    })
  }

  return {
    manager: { request } as unknown as LockManager,
    held: () => [...owners.keys()],
    /** Takes all locks whose names begin like this, and releases them at once. */
    steal(kind: string) {
      for (const [name, owner] of [...owners]) {
        if (!name.startsWith(kind)) continue
        owners.delete(name)
        owner.reject(new DOMException('Stolen.', 'AbortError'))
        next(name)
      }
    },
  }
}
