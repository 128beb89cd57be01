import { createBranchWith } from '../../../src/core/create-branch.ts'
import { defineProof } from '../../../src/core/features/proof.ts'
import { sessionLimits } from '../../../src/core/features/session-limits.ts'
import { onStepUp } from '../../../src/core/on-step-up.ts'
import { inspectRequests } from '../../../src/inspect/index.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { createFuzzedAuth } from '../session.ts'
import type { Features, Pace } from './plan.ts'
import { createServer, inTurns, sleep } from './server.ts'

/** Sessions that no request uses end after this time, in milliseconds. */
const IDLE = 120_000

/** A session with some features, and what is around it, on virtual time. */
export function createWorld(features: Features, pace: Pace) {
  const { concurrency, whenExpired } = features
  const clock = createVirtualClock()
  const server = createServer(clock, pace, features.proofs ? 'DPoP' : 'Bearer')
  const session = createFuzzedAuth<string>(
    {
      refresh: server.refresh,
      signIn: server.signIn,
      release: { concurrency },
      whenExpired,
      retry: { minDelay: 100, jitter: 0 },
      ...(features.limits && { limits: sessionLimits({ idle: IDLE }) }),
      ...(features.proofs && { proof: createProofs(pace, clock) }),
    },
    clock,
  )
  const { auth } = session
  if (features.inspection) inspectRequests(auth, () => {})
  if (features.stepUp) {
    const takes = inTurns(pace.stepUp)
    const next = inTurns(pace.user)
    onStepUp(auth, async () => {
      const user = auth.session?.subject
      await sleep(clock, takes())
      const does = next()
      if (user === undefined || does === 'declines') return undefined
      return server.issue(does === 'agrees' ? user : 'eve', 'read admin')
    })
  }
  const branch = features.branch ? createBranchWith(auth, { scope: 'read' }, clock) : undefined
  return { ...session, features, pace, clock, server, branch }
}

export type World = ReturnType<typeof createWorld>

/** Proofs of possession that need some time. A server asks for another one now and then. */
function createProofs(pace: Pace, clock: VirtualClock) {
  const takes = inTurns(pace.prove)
  const renews = inTurns(pace.renewsProof)
  return defineProof({
    async prove({ accessToken }) {
      await sleep(clock, takes())
      return { authorization: `DPoP ${accessToken}`, dpop: 'proof' }
    },
    heed: () => (renews() ? 'again' : undefined),
    keyId: async () => 'key',
  })
}
