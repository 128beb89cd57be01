/** Headers between the page and its server. Names are in lower case, because Node gives them so. */

/** The id of the page that sends a request. The server drops requests of an offline page, but not those of other tabs. */
export const PAGE_HEADER = 'x-playground-page'

/** Marks a request of a button. It is answered even if the page is offline. Another site cannot send it. */
export const CONTROL_HEADER = 'x-playground-control'

/** Where the server of the playground passes requests on to the OpenID provider. */
export const OPENID_PATH = '/openid'
