/** Token responses for tests in the page and on the server. */
import type { TokenResponse } from 'authchart'

/** Returns a token response with a user. */
export const tokens = (subject: string, number = 1): TokenResponse => ({
  access_token: `at-${subject}-${number}`,
  refresh_token: `rt-${subject}-${number}`,
  expires_in: 3600,
  subject,
})
