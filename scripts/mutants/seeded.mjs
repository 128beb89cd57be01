// The seeded bugs. Each takes out what prevents it: `edits` name text that is in its file exactly once,
// and what stands there instead. `harm` is what a user would see of it.

const GATE = 'src/core/gate.ts'

export const MUTANTS = [
  {
    name: 'no generation check',
    harm: 'A 401 that comes after the renewal is the caller’s: the request was only sent again with the token refused.',
    edits: [
      {
        file: GATE,
        find: "posture === 'pass' && refused.generation === vault.generation ? undefined : pass()",
        replace: "posture === 'pass' ? refused : pass()",
      },
      { file: GATE, find: "(posture === 'pass' && pass === vault.pass)", replace: "posture === 'pass'" },
    ],
  },
  {
    name: 'no compare-and-set',
    harm: 'A renewal answered after sign-out brings the session back, in memory and in the store.',
    edits: [{ file: 'src/core/vault.ts', find: 'if (mark.change !== change) return undefined', replace: '' }],
  },
  {
    name: 'queue not emptied on expired',
    harm: 'Who waits when the session expires goes on waiting, until the hold runs out: spinners instead of a sign-in page.',
    edits: [{ file: GATE, find: 'queue.rejectAll(refusal)', replace: '' }],
  },
  {
    name: 'transient treated as fatal',
    harm: 'A token endpoint that is down for a moment signs everybody out.',
    edits: [
      {
        file: 'src/core/failure.ts',
        find: 'const refused = !passing && (',
        replace: 'const refused = passing || (',
      },
    ],
  },
  {
    name: 'replay without limit',
    harm: 'An API that answers 401 whatever the token is asked for ever, with a renewal for each time.',
    edits: [
      {
        file: 'src/core/bearer-request.ts',
        find: 'if (held) gate.doubt(pass, request.key())',
        replace: `if (held) {
        const next = gate.renew(pass, request.key(), request)
        if (next) return replay(gate, request, await next, next instanceof Promise)
      }`,
      },
    ],
  },
  {
    name: 'foreign origin allowed',
    harm: 'Any host that the app fetches from is handed the access token.',
    edits: [{ file: 'src/transports/origins.ts', find: ' && allowed.has(target.origin)', replace: '' }],
  },
  {
    name: 'late 401 refreshes',
    harm: 'Each answer that comes late from a burst of 401s renews the tokens once more, though they are new.',
    edits: [
      {
        file: GATE,
        find: "if (posture !== 'pass' || refused.generation !== vault.generation) return",
        replace: "if (posture !== 'pass') return",
      },
      {
        file: 'machines/auth.machine.ts',
        find: "event.type === 'request.unauthorized' && event.generation === context.generation",
        replace: "event.type === 'request.unauthorized'",
      },
    ],
  },
  {
    name: 'lock not re-reading',
    harm: 'Two tabs renew in turn with the same refresh token, and the server takes the second one for a thief.',
    edits: [
      {
        file: 'src/core/exchange.ts',
        find: 'const adopted = await adoptNewer()',
        replace: 'const adopted = await undefined',
      },
    ],
  },
  {
    name: 'abort ignored while held',
    harm: 'A request whose page was left waits on until there is a token, or until its hold runs out.',
    edits: [
      {
        file: 'src/core/hold-queue.ts',
        find: 'const ignore = signal && onAbort(signal, () => reject(entry, signal.reason))',
        replace: 'const ignore = signal && onAbort(signal, () => {})',
      },
    ],
  },
  {
    name: 'timer not clamped',
    harm: 'A token that lives for more than 24.8 days is renewed at once, over and over.',
    edits: [
      {
        file: 'src/environment/clock.ts',
        find: 'const LONGEST = 2 ** 31 - 1',
        replace: 'const LONGEST = Number.POSITIVE_INFINITY',
      },
    ],
  },
]
