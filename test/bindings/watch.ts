/** What tests can observe of a page, besides its current content. */
export interface PageWatch {
  /** Every view that was ever in the document, by its test id, without consecutive duplicates. */
  readonly views: string[]
  /** The current numbers of listeners of window, document, actor and auth, and of intervals. */
  counts(): Record<string, number>
}

declare global {
  var watch: PageWatch
}

/** Runs in the page before anything else. It must not reference anything outside of this function. */
export function watchPage(): void {
  const views: string[] = []
  const VIEW = '[data-testid^="view-"], [data-testid="expired-dialog"]'
  const see = (node: Node) => {
    if (!(node instanceof Element)) return
    for (const view of [...(node.matches(VIEW) ? [node] : []), ...node.querySelectorAll(VIEW)]) {
      const id = (view as HTMLElement).dataset.testid ?? ''
      if (views.at(-1) !== id) views.push(id)
    }
  }
  // Observe added nodes, because a view may appear and disappear between two queries.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(see)
  }).observe(document, { childList: true, subtree: true })

  const counts: Record<string, number> = { listeners: 0, intervals: 0, subscriptions: 0 }
  const count = (what: string, by: number) => {
    counts[what] = (counts[what] ?? 0) + by
  }

  const known = new WeakMap<EventTarget, Set<string>>()
  const { addEventListener, removeEventListener } = EventTarget.prototype
  const ids = new WeakMap<object, number>()
  let lastId = 0
  const keyOf = (type: string, listener: object, options?: boolean | { capture?: boolean }) => {
    const id = ids.get(listener) ?? ++lastId
    ids.set(listener, id)
    return `${type} ${id} ${typeof options === 'object' ? options.capture === true : options === true}`
  }
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if ((this === window || this === document) && listener) {
      const here = known.get(this) ?? new Set()
      known.set(this, here)
      const key = keyOf(type, listener, options)
      if (!here.has(key)) count('listeners', 1)
      here.add(key)
    }
    addEventListener.call(this, type, listener, options)
  }
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    if (listener && known.get(this)?.delete(keyOf(type, listener, options as boolean))) count('listeners', -1)
    removeEventListener.call(this, type, listener, options)
  }

  const running = new Set<number>()
  const { setInterval, clearInterval } = window
  window.setInterval = ((...args: Parameters<typeof setInterval>) => {
    const id = setInterval(...args) as unknown as number
    running.add(id)
    return id
  }) as typeof setInterval
  window.clearInterval = ((id: number) => {
    running.delete(id)
    clearInterval(id)
  }) as typeof clearInterval

  /** Counts the listeners of the session from now on. */
  const watchSession = () => {
    const { auth } = example
    const { actor } = auth
    const once = (stop: () => void) => {
      let stopped = false
      return () => {
        if (!stopped) count('subscriptions', -1)
        stopped = true
        stop()
      }
    }
    const subscribe = actor.subscribe as (...args: unknown[]) => { unsubscribe(): void }
    const on = actor.on as (...args: unknown[]) => { unsubscribe(): void }
    const authOn = auth.on as (...args: unknown[]) => () => void
    Object.assign(actor, {
      subscribe(...args: unknown[]) {
        count('subscriptions', 1)
        const subscription = subscribe.apply(actor, args)
        return { unsubscribe: once(() => subscription.unsubscribe()) }
      },
      on(...args: unknown[]) {
        count('subscriptions', 1)
        const subscription = on.apply(actor, args)
        return { unsubscribe: once(() => subscription.unsubscribe()) }
      },
    })
    Object.assign(auth, {
      on(...args: unknown[]) {
        count('subscriptions', 1)
        return once(authOn.apply(auth, args))
      },
    })
  }

  let handle: unknown
  // The example creates its handle before it mounts, so every listener is counted.
  Object.defineProperty(window, 'example', {
    configurable: true,
    get: () => handle,
    set(value) {
      handle = value
      watchSession()
    },
  })

  Object.assign(window, {
    watch: { views, counts: () => ({ ...counts, intervals: running.size }) } satisfies PageWatch,
  })
}
