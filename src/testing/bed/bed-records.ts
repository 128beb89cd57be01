import type { SessionRecord, TokenResponse } from '../../core/ports.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import type { Facts } from './bed-users.ts'

/** Creates store records for new sessions of a user. */
export const recordsOf =
  (clock: VirtualClock, lifetime: number, factsOf: (subject: string) => Facts) =>
  (tokens: TokenResponse, { subject = 'ada', ...more }: Partial<SessionRecord>): SessionRecord => {
    const { id_token: idToken, user: profile } = factsOf(subject)
    return {
      version: 1,
      id: `tab-${clock.now()}`,
      rotation: 0,
      startedAt: clock.now(),
      receivedAt: clock.now(),
      accessToken: tokens.access_token ?? '',
      ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
      ...(idToken && { idToken }),
      ...(profile && { profile: { ...profile } }),
      expiresAt: clock.now() + lifetime,
      subject,
      ...more,
    }
  }
