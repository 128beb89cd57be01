/** Transports with one flaw each, to prove that the suite finds it. */
import { bearerRequest, readChallenge } from '../../src/index.ts'
import type { TransportFactory, TransportRequest } from '../../src/testing/index.ts'

interface Flaws {
  /** Sends the token to any origin. */
  readonly sendsAnywhere?: boolean
  /** Sends the token to the target of any redirect. */
  readonly followsRedirects?: boolean
  /** Replaces an `Authorization` header of the caller. */
  readonly overridesCaller?: boolean
  /** Does not pass the caller's signal to the session, so that a held request cannot be aborted. */
  readonly ignoresSignal?: boolean
  /** Sends the replay without its body. */
  readonly losesBody?: boolean
}

const send = async (
  url: URL,
  request: TransportRequest,
  authorization?: string,
  { followsRedirects }: Flaws = {},
) => {
  const { method, headers, body, signal } = request
  const json = typeof body === 'object'
  const own = new Headers({ ...(json && { 'content-type': 'application/json' }), ...headers })
  if (authorization !== undefined) own.set('authorization', authorization)
  const init: RequestInit = {
    method,
    headers: own,
    body: json ? JSON.stringify(body) : (body ?? null),
    signal: signal ?? null,
    redirect: followsRedirects ? 'manual' : 'follow',
  }
  const first = await fetch(url, init)
  const location = followsRedirects && first.headers.get('location')
  const response = location ? await fetch(location, init) : first
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** A transport over `fetch` that is correct except for these flaws. */
export const flawed =
  (flaws: Flaws): TransportFactory =>
  (auth, { origin }) => ({
    request(path, request) {
      const url = new URL(path, origin)
      const isForeign = url.origin !== origin && !flaws.sendsAnywhere
      const isTheirs = request.headers?.authorization !== undefined && !flaws.overridesCaller
      if (isForeign || isTheirs) return send(url, request)
      let sendings = 0
      return bearerRequest(auth, {
        send(authorization) {
          const { body: _, ...withoutBody } = request
          const sent = flaws.losesBody && sendings++ > 0 ? withoutBody : request
          return send(url, sent, authorization, flaws)
        },
        challenge: ({ status, headers }) => readChallenge(status, headers.get('www-authenticate')),
        replayable: true,
        key: () => `${request.method} ${url.pathname}`,
        ...(!flaws.ignoresSignal && { signal: request.signal }),
      })
    },
  })

/** Adds the token, and returns every 401 to its caller. */
export const neverRefreshing: TransportFactory = (auth, { origin }) => ({
  async request(path, request) {
    const token = await auth.getAccessToken({ allowAnonymous: true })
    return send(new URL(path, origin), request, token && `Bearer ${token}`)
  },
})

/** Refreshes and replays as long as the answer is 401. */
export const neverGivingUp: TransportFactory = (auth, { origin }) => ({
  async request(path, request) {
    for (;;) {
      const token = await auth.getAccessToken({ allowAnonymous: true })
      const answer = await send(new URL(path, origin), request, token && `Bearer ${token}`)
      if (answer.status !== 401 || token === undefined) return answer
      await auth.refresh()
    }
  },
})

/** Leaves an unhandled rejection. */
export const littering: TransportFactory = (auth, options) => {
  const { request } = flawed({})(auth, options)
  return {
    async request(path, init) {
      void Promise.reject(new Error('This rejection is not handled'))
      return request(path, init)
    },
  }
}
