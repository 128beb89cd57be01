/** What the page and its server tell each other beside the requests of the session. Names are in lower case, as Node has them. */

/** Names the page a request comes from: one that is offline is cut off, and other tabs are not. */
export const PAGE_HEADER = 'x-playground-page'

/** Marks a press of a button, which gets through while the page is offline. No other site can send it. */
export const CONTROL_HEADER = 'x-playground-control'
