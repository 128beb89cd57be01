import type { Kit } from '../kit.ts'
import { aborts } from './aborts.ts'
import { brokenEndpoint } from './broken-endpoint.ts'
import { burst } from './burst.ts'
import { endings } from './endings.ts'
import { holdLimits } from './hold-limits.ts'
import { lifetimes } from './lifetimes.ts'
import { origins } from './origins.ts'
import { refusals } from './refusals.ts'
import { release } from './release.ts'
import { deadlyRenewal, renewal } from './renewal.ts'
import { replays } from './replays.ts'
import { retry } from './retry.ts'
import { sessionChanges } from './session-changes.ts'
import { signInRaces } from './sign-in-races.ts'
import { silentSignIn } from './silent-sign-in.ts'

/** Every theme, in the order in which a client that is being written comes to pass them. */
export const themes: readonly ((kit: Kit) => void)[] = [
  burst,
  replays,
  origins,
  refusals,
  aborts,
  holdLimits,
  renewal,
  deadlyRenewal,
  release,
  retry,
  brokenEndpoint,
  endings,
  sessionChanges,
  signInRaces,
  silentSignIn,
  lifetimes,
]
