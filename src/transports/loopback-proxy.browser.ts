/** The twin for browsers, which have no environment that names a proxy. */
export const isProxied = (_: URL): boolean => false
