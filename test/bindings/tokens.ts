/** What a server answers a session with, on both sides of the wire. */
import type { TokenResponse } from 'authchart'

/** A token answer that names its user. */
export const tokens = (subject: string, number = 1): TokenResponse => ({
  access_token: `at-${subject}-${number}`,
  refresh_token: `rt-${subject}-${number}`,
  expires_in: 3600,
  subject,
})
