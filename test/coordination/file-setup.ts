import { join } from 'node:path'
import { temporaryFolder } from '../storage/child.ts'

export const pathOf = () => join(temporaryFolder(), 'session.json')

/** The options with which a refresh requests the lock. */
export const patient = () => ({ signal: new AbortController().signal, timeout: 10_000 })
