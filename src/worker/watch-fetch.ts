/** Receives what is sent while a function runs. */
export interface FetchObserver {
  readonly sent: (url: string | URL, authorization: string | undefined) => void
}

type Fetch = typeof fetch

/** One for each function that runs. The globals are replaced only while there is one. */
const observers = new Set<FetchObserver>()
let original: Fetch = fetch
let isUnobserved = false
let restoreRequests = () => {}

/** Reports what is sent by `fetch` and `XMLHttpRequest` until the function has settled. */
export async function observeFetch<T>(run: () => T | PromiseLike<T>, observer: FetchObserver): Promise<T> {
  if (observers.size === 0) replaceGlobals()
  observers.add(observer)
  try {
    return await run()
  } finally {
    observers.delete(observer)
    if (observers.size === 0) restoreGlobals()
  }
}

/** What a `fetch` sends before it returns is not reported. */
export const unobserved =
  (given: Fetch = (input, init) => fetch(input, init)): Fetch =>
  (input, init) => {
    const before = isUnobserved
    isUnobserved = true
    try {
      return given(input, init)
    } finally {
      isUnobserved = before
    }
  }

function replaceGlobals() {
  original = globalThis.fetch
  globalThis.fetch = observedFetch
  restoreRequests = replaceRequests()
}

function restoreGlobals() {
  // If the app has replaced it in the meantime, its own stays.
  if (globalThis.fetch === observedFetch) globalThis.fetch = original
  restoreRequests()
}

function report(url: string | URL, authorization: string | undefined) {
  for (const { sent } of observers) sent(url, authorization)
}

function observedFetch(...[input, init]: Parameters<Fetch>): ReturnType<Fetch> {
  if (isUnobserved) return original.call(globalThis, input, init)
  const isRequest = input instanceof Request
  const authorization = authorizationOf(init?.headers ?? (isRequest ? input.headers : undefined))
  report(isRequest ? input.url : input, authorization)
  const answer = original.call(globalThis, input, init)
  answer.then(
    ({ redirected, url }) => redirected && report(url, authorization),
    () => {},
  )
  return answer
}

function authorizationOf(headers: HeadersInit | undefined): string | undefined {
  try {
    return new Headers(headers).get('authorization') ?? undefined
  } catch {
    return undefined
  }
}

/** Some HTTP clients prefer `XMLHttpRequest`, which workers have, too. Returns what restores it. */
function replaceRequests(): () => void {
  if (typeof XMLHttpRequest !== 'function') return () => {}
  const { prototype } = XMLHttpRequest
  const { open, setRequestHeader, send } = prototype
  const sent = new WeakMap<XMLHttpRequest, { readonly url: string | URL; authorization?: string }>()
  Object.assign(prototype, {
    open(this: XMLHttpRequest, ...given: Parameters<typeof open>) {
      sent.set(this, { url: given[1] })
      return open.apply(this, given)
    },
    setRequestHeader(this: XMLHttpRequest, header: string, value: string) {
      const request = sent.get(this)
      if (request && /^authorization$/i.test(header)) request.authorization = value
      return setRequestHeader.call(this, header, value)
    },
    send(this: XMLHttpRequest, body?: XMLHttpRequestBodyInit | null) {
      const { url, authorization } = sent.get(this) ?? {}
      if (url !== undefined && !isUnobserved) {
        report(url, authorization)
        this.addEventListener('load', () => this.responseURL && report(this.responseURL, authorization))
      }
      return send.call(this, body)
    },
  })
  return () => void Object.assign(prototype, { open, setRequestHeader, send })
}
