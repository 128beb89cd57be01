import type { Suite } from '../suite.ts'
import { aborts } from './aborts.ts'
import { brokenEndpoint } from './broken-endpoint.ts'
import { burst } from './burst.ts'
import { endings } from './endings.ts'
import { holdLimits } from './hold-limits.ts'
import { lifetimes } from './lifetimes.ts'
import { origins } from './origins.ts'
import { refusals } from './refusals.ts'
import { release } from './release.ts'
import { replays } from './replays.ts'
import { retry } from './retry.ts'
import { overlappingRefresh, scheduledRefresh } from './scheduled-refresh.ts'
import { sessionChanges } from './session-changes.ts'
import { signInRaces } from './sign-in-races.ts'
import { silentSignIn } from './silent-sign-in.ts'

/** All themes, in the order in which a new transport is likely to pass them. */
export const themes: readonly ((suite: Suite) => void)[] = [
  burst,
  replays,
  origins,
  refusals,
  aborts,
  holdLimits,
  scheduledRefresh,
  overlappingRefresh,
  release,
  retry,
  brokenEndpoint,
  endings,
  sessionChanges,
  signInRaces,
  silentSignIn,
  lifetimes,
]
