/** Replaces undici, which needs sockets, in runtimes that have none. */
export class Agent {}
export const interceptors = {}
export const request = undefined
