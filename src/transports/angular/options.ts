import type { HttpResponseBase } from '@angular/common/http'
import type { OriginOptions } from '../origins.ts'

/** Options of `authInterceptor`. */
export interface AuthInterceptorOptions extends OriginOptions {
  /**
   * Decides whether a response requires a new token. It receives an `HttpResponse`, or an `HttpErrorResponse` with a status.
   * Default: a 401 whose Bearer challenge has no error, or the error `invalid_token`. Step-up challenges are recognized before.
   */
  readonly isChallenge?: (answer: HttpResponseBase) => boolean | Promise<boolean>
  /**
   * What a 401 does to other requests in flight with the same token. `'safe'` aborts GET, HEAD and OPTIONS requests and sends
   * them again with the new token. Default: `'never'`.
   */
  readonly abortInFlight?: 'never' | 'safe'
  /** Returns `true` for requests without the session: they are sent unchanged and at once. */
  readonly exclude?: (url: string) => boolean
}
