/**
 * How the runtimes of servers describe a connection that failed. Browsers say no more than that a request failed, so their
 * builds have the twin of this file, `network-error.browser.ts`.
 */

const NOT_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT)$/

/** Whether the connection was never made, so that nothing was sent. Deno says so in words only. */
export const isNotConnected = (code: string, message: string): boolean =>
  NOT_CONNECTED.test(code) || message.includes('client error (Connect)')

/** Whether an error of Cloudflare Workers, which has no code, says that the connection broke or was never made. */
export const isConnectionLost = (message: string): boolean =>
  /^(Network connection lost\.|internal error; reference)/.test(message)
