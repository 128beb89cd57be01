/** Stores the cookie of cookie mode for each origin, as a browser does for a page at `page` (RFC 6265 section 5). */
export interface CookieJar {
  /** Adds the cookie to a request that carries credentials to the path of the cookie. */
  attach(request: Request): void
  /** Stores or deletes the cookie as the `set-cookie` header of the answer says. */
  update(request: Request, reply: Response): void
}

// Browsers do not expose the headers that this needs. In a browser, cookie mode works only with `listen()`.
export const createCookieJar = (page: string, path: string): CookieJar => {
  const cookies = new Map<string, string>()

  const origin = (request: Request): string => new URL(request.url).origin

  const hasCredentials = (request: Request): boolean =>
    request.credentials === 'include' || (request.credentials !== 'omit' && origin(request) === page)

  return {
    attach: (request) => {
      const cookie = cookies.get(origin(request))
      const { pathname } = new URL(request.url)
      // RFC 6265 section 5.1.4.
      const belongs = pathname === path || pathname.startsWith(path.replace(/\/?$/, '/'))
      if (cookie === undefined || !belongs || !hasCredentials(request)) return
      if (!request.headers.has('cookie')) request.headers.set('cookie', cookie)
    },

    update: (request, reply) => {
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
