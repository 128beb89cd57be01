import { createRequire } from 'node:module'

export * as axios from 'axios'
export * as ofetch from 'ofetch'

/** Loads the CommonJS build. */
export const load = createRequire(import.meta.url)
