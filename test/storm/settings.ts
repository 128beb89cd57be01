/** What a process of the storm is given. Times are in milliseconds. */
export interface ProcessSettings {
  readonly name: string
  readonly database: 'redis' | 'postgres'
  /** Of the proxy in front of the database. */
  readonly url: string
  /** The origin of the token server and its API. */
  readonly tokens: string
  readonly sessions: number
  /** How far its clock is ahead. */
  readonly skew: number
  readonly lease: number
  /** For how long the server accepts the previous refresh token. */
  readonly grace: number
  /** `timeouts.refresh` of `createAuth`. */
  readonly refreshTimeout: number
  /** Without messages, processes look for changes. */
  readonly notifies: boolean
  /** Where it writes what it does, if it does. */
  readonly trace: string | undefined
}

export const sessionName = (session: number) => `session ${session}`

export const SECRET = new Uint8Array(32).fill(7)

/** What a process answers when it is asked how its sessions are. */
export interface ProcessReport {
  readonly calls: number
  readonly failures: number
  /** The longest that the token server took for a refresh, in milliseconds. */
  readonly slowest: number
  /** Sessions whose request was answered. */
  readonly working: readonly number[]
  /** Sessions that the process holds to be ended, with the reason. */
  readonly ended: readonly (readonly [session: number, reason: string])[]
}
