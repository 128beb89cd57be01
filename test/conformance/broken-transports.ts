/** Transports with one flaw each, for the proof that the suite finds it. */
import { bearerRequest, readChallenge } from '../../src/index.ts'
import type { TransportFactory, TransportRequest } from '../../src/testing/index.ts'

interface Flaws {
  /** Sends the token wherever the caller points. */
  readonly anywhere?: boolean
  /** Takes it along wherever a redirect leads. */
  readonly credulous?: boolean
  /** Puts it in the place of an `Authorization` header of the caller's. */
  readonly overbearing?: boolean
  /** Does not tell the session about the caller's signal, so that a held request does not hear it. */
  readonly deaf?: boolean
  /** Sends something else the second time. */
  readonly forgetful?: boolean
}

const send = async (
  url: URL,
  request: TransportRequest,
  authorization?: string,
  { credulous }: Flaws = {},
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
    redirect: credulous ? 'manual' : 'follow',
  }
  const first = await fetch(url, init)
  const location = credulous && first.headers.get('location')
  const response = location ? await fetch(location, init) : first
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** A transport over `fetch` that is right but for these. */
export const flawed =
  (flaws: Flaws): TransportFactory =>
  (auth, { origin }) => ({
    request(path, request) {
      const url = new URL(path, origin)
      const isForeign = url.origin !== origin && !flaws.anywhere
      const isTheirs = request.headers?.authorization !== undefined && !flaws.overbearing
      if (isForeign || isTheirs) return send(url, request)
      let sendings = 0
      return bearerRequest(auth, {
        send(authorization) {
          const { body: _, ...withoutBody } = request
          const sent = flaws.forgetful && sendings++ > 0 ? withoutBody : request
          return send(url, sent, authorization, flaws)
        },
        challenge: ({ status, headers }) => readChallenge(status, headers.get('www-authenticate')),
        replayable: true,
        key: () => `${request.method} ${url.pathname}`,
        ...(!flaws.deaf && { signal: request.signal }),
      })
    },
  })

/** Puts the token on, and gives every 401 to its caller. */
export const neverRefreshing: TransportFactory = (auth, { origin }) => ({
  async request(path, request) {
    const token = await auth.getAccessToken({ allowAnonymous: true })
    return send(new URL(path, origin), request, token && `Bearer ${token}`)
  },
})

/** Renews and sends again for as long as it is refused. */
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

/** Leaves a promise behind that nobody looks at. */
export const littering: TransportFactory = (auth, options) => {
  const { request } = flawed({})(auth, options)
  return {
    async request(path, init) {
      void Promise.reject(new Error('nobody looks at this'))
      return request(path, init)
    },
  }
}
