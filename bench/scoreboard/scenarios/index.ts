import type { Scenario } from '../scenario.ts'
import { aborts } from './aborts.ts'
import { burst } from './burst.ts'
import { endings } from './endings.ts'
import { failures } from './failures.ts'
import { lifetimes } from './lifetimes.ts'
import { origins } from './origins.ts'
import { refusals } from './refusals.ts'
import { renewals } from './renewals.ts'
import { replays } from './replays.ts'
import { sessionChanges } from './session-changes.ts'
import { tokenAnswers } from './token-answers.ts'

/** All scenarios, in the order of `describeTransport`. */
export const scenarios: readonly Scenario[] = [
  ...burst,
  ...replays,
  ...origins,
  ...refusals,
  ...aborts,
  ...renewals,
  ...failures,
  ...tokenAnswers,
  ...endings,
  ...sessionChanges,
  ...lifetimes,
]
