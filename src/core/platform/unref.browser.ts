/** The twin for browsers, where no timer keeps anything alive. */
export const unref = <T>(handle: T): T => handle
