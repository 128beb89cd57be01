/** The cookie of cookie mode, kept for each origin as a browser keeps it for a page at `page` (RFC 6265 section 5). */
export interface CookieJar {
  /** Adds the cookie to a request that carries credentials to `/token`. */
  attach(request: Request): void
  /** Takes over what the answer says of the cookie. */
  keep(request: Request, reply: Response): void
}

// Browsers neither show nor let set the headers this works by: there, cookie mode needs `listen()`.
export const createCookieJar = (page: string): CookieJar => {
  const cookies = new Map<string, string>()

  const origin = (request: Request): string => new URL(request.url).origin

  const hasCredentials = (request: Request): boolean =>
    request.credentials === 'include' || (request.credentials !== 'omit' && origin(request) === page)

  return {
    attach: (request) => {
      const cookie = cookies.get(origin(request))
      const { pathname } = new URL(request.url)
      const belongs = pathname === '/token' || pathname.startsWith('/token/')
      if (cookie === undefined || !belongs || !hasCredentials(request)) return
      if (!request.headers.has('cookie')) request.headers.set('cookie', cookie)
    },

    keep: (request, reply) => {
      if (!hasCredentials(request)) return
      for (const line of reply.headers.getSetCookie()) {
        const [pair = ''] = line.split(';')
        if (!pair.startsWith('refresh_token=')) continue
        if (/;\s*max-age=0/i.test(line)) cookies.delete(origin(request))
        else cookies.set(origin(request), pair)
      }
    },
  }
}
