/** Whether a request with this method may be sent again without asking (RFC 9110 §9.2.1). */
export const isSafeMethod = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/i.test(method)

/** Names an endpoint: the method, and the URL without its query and fragment. */
export const endpointKey = (method: string, url: string): string =>
  `${method.toUpperCase()} ${url.split(/[?#]/, 1)[0]}`
