/** What a worker asks of its pages: a window for a sign-in. No message holds a token, a code or a verifier. */
export type ToPages =
  /** `isLocked`: the worker holds the lock of `lockOf`. It does not if it is older, or if the browser refused it. */
  | { readonly type: 'ask'; readonly id: string; readonly isLocked?: boolean }
  | { readonly type: 'end'; readonly id: string }
  /** That page opened the window. The others may stop asking the user. */
  | { readonly type: 'taken'; readonly id: string; readonly page: string }
  | { readonly type: 'go'; readonly id: string; readonly url: string }

export type FromPage =
  /** A page has come, and may be asked. */
  | { readonly type: 'here'; readonly id?: undefined }
  | { readonly type: 'seen' | 'declined'; readonly id: string }
  | { readonly type: 'opened'; readonly id: string; readonly page: string }
  | { readonly type: 'closed'; readonly id: string; readonly isClosed: boolean }

/** Reaches all pages and workers of the origin. */
export const openPages = (name: string): BroadcastChannel =>
  new BroadcastChannel(`authchart.oauth2.pages.${name}`)

/** The name of the lock that a worker holds as long as it needs a window. The browser releases it if the worker is stopped. */
export const lockOf = (id: string): string => `authchart.oauth2.window.${id}`
