/** Where the page sends its requests: to the server that served it. Its twin `origin.browser.ts` has the server in the browser. */
import { type AxiosAdapter, getAdapter } from 'axios'

/** Whether requests need a network. */
export const usesNetwork: boolean = true

/** Sends a request to the server. */
export const originFetch: typeof fetch = (input, init) => fetch(input, init)

/** Sends a request of axios to the server. */
export const originAdapter: AxiosAdapter = getAdapter('xhr')
