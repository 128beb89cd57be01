import { sessionLimits } from '../../core/features/session-limits.ts'
import { fromCookie } from '../../core/features/share.ts'
import type { AuthOptions } from '../../core/options.ts'
import type { TokenResponse } from '../../core/ports.ts'
import type { ResolvedModelSettings } from '../model/model-options.ts'

type Options = Partial<AuthOptions<never>>

/** The options of a session that follow from the settings of the model. */
export const sessionOptions = (settings: ResolvedModelSettings) => {
  const { refreshAhead, refreshOn, ambiguousRefresh, whenExpired, limits, retry } = settings
  return {
    ...(refreshAhead !== undefined && { refreshAhead }),
    refreshOn,
    ...(settings.silentSignIn && { silentSignIn: fromCookie() }),
    ambiguousRefresh,
    whenExpired,
    retry: { ...retry, jitter: 0 },
    limits: sessionLimits(limits),
  } satisfies Options
}

/** The timeouts that the model knows. */
export const timeoutOptions = ({ timeouts }: ResolvedModelSettings) => {
  const { refresh, signIn, revoke, hold } = timeouts
  return { refresh, signIn, revoke, hold } satisfies Options['timeouts']
}

/** The initial tokens, if the session starts with them. */
export const initialTokens = <User>(
  { start }: ResolvedModelSettings,
  tokensOf: (subject: string) => TokenResponse<User>,
) =>
  start.startsWith('initialTokens') && {
    initialTokens: {
      ...tokensOf('ada'),
      ...(start === 'initialTokensExpired' && { expires_in: 0 }),
      ...(start === 'initialTokensLast' && { refresh_token_expires_in: 0 }),
    },
  }
