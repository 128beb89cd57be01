// The seeded bugs. Each removes a safeguard: `edits` contain a text that is in its file exactly once, and the text that
// replaces it. `harm` is the effect that a user would see.

const GATE = 'src/core/requests/gate.ts'

export const MUTANTS = [
  {
    name: 'no generation check',
    harm: 'A 401 that comes after the refresh reaches the caller: the replay used the rejected token again.',
    edits: [
      {
        file: GATE,
        find: 'const current = isStillCurrent ? undefined : this.authorize()',
        replace: "const current = this.#mode() === 'pass' ? refused : this.authorize()",
      },
      {
        file: GATE,
        find: "return credential === this.#vault.credential && this.#mode() === 'pass'",
        replace: "return this.#mode() === 'pass'",
      },
    ],
  },
  {
    name: 'no compare-and-set',
    harm: 'A refresh that is answered after the sign-out restores the session, in memory and in the store.',
    edits: [
      {
        file: 'src/core/session/vault.ts',
        find: 'if (!this.isCurrent(mark)) return false',
        replace: '',
      },
    ],
  },
  {
    name: 'queue not emptied on expired',
    harm: 'Requests held when the session expires wait until the hold times out: spinners instead of a sign-in page.',
    edits: [
      {
        file: GATE,
        find: "if (mode === 'refuse') this.#rejectAll(() => this.#refusal())",
        replace: "if (mode === 'refuse') this.#refreshWaiters?.rejectAll(() => this.#refusal())",
      },
    ],
  },
  {
    name: 'transient treated as fatal',
    harm: 'A token endpoint that is down for a moment signs all users out.',
    edits: [
      {
        file: 'src/core/session/failure.ts',
        find: 'const refused = !transient && (',
        replace: 'const refused = transient || (',
      },
    ],
  },
  {
    name: 'replay without limit',
    harm: 'An API that always answers 401 gets requests for ever, with a refresh for each.',
    edits: [
      {
        file: 'src/core/requests/bearer-request.ts',
        find: "if (challenge === 'refresh') gate.reportRefusedAgain(slot, request.key())",
        replace: `if (challenge === 'refresh') {
        const next = gate.replay(credential, request.key(), request)
        if (next) return replay(await next, request)
      }`,
      },
    ],
  },
  {
    name: 'foreign origin allowed',
    harm: 'Every host that the app sends requests to gets the access token.',
    edits: [{ file: 'src/transports/origins.ts', find: ' && allowed.has(target.origin)', replace: '' }],
  },
  {
    name: 'late 401 refreshes',
    harm: 'Each late 401 of a burst refreshes the tokens again, although they are new.',
    edits: [
      {
        file: GATE,
        find: "if (this.#mode() !== 'pass' || refused.generation !== this.#vault.generation) return",
        replace: "if (this.#mode() !== 'pass') return",
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
    harm: 'Two tabs refresh one after the other with the same refresh token, and the server treats the second as theft.',
    edits: [
      {
        file: 'src/core/session/refresh.ts',
        find: 'const merged = await this.#sharing.reload()',
        replace: 'const merged = await undefined',
      },
    ],
  },
  {
    name: 'abort ignored while held',
    harm: 'An aborted request keeps waiting until there is a token, or until its hold times out.',
    edits: [
      {
        file: 'src/core/requests/hold-queue.ts',
        find: 'const ignore = signal && onAbort(signal, () => this.#reject(entry, abortReason(signal)))',
        replace: 'const ignore = signal && onAbort(signal, () => {})',
      },
    ],
  },
  {
    name: 'timer not clamped',
    harm: 'A token that lives for more than 24.8 days is refreshed at once, again and again.',
    edits: [
      {
        file: 'src/environment/clock.ts',
        find: 'const LONGEST = 2 ** 31 - 1',
        replace: 'const LONGEST = Number.POSITIVE_INFINITY',
      },
    ],
  },
]
