/** @jsxImportSource solid-js */
import { Show } from 'solid-js'
import { stay } from '../common/actions.ts'
import { idleTime, lastUser } from '../common/session.ts'
import { drawn } from '../common/start.ts'
import { IDLE_WARNING } from '../common/time.ts'
import { stateWords, timeWords } from '../common/words.ts'
import { useAuth, useAuthState, useSession } from './auth.ts'
import { createNow } from './create-now.ts'

/** Shows the user and the state of the token. */
export function SessionCard() {
  const auth = useAuth()
  const user = useSession((session) => session?.subject ?? lastUser())
  return (
    <section class="card" aria-labelledby="session">
      <h2 id="session">Session</h2>
      <dl>
        <div>
          <dt>User</dt>
          <dd data-testid="user">{drawn('user', user())}</dd>
        </div>
        <Token />
      </dl>
      <IdleWarning />
      <div class="buttons">
        <button data-testid="sign-out" type="button" onClick={() => auth.signOut()}>
          Sign out
        </button>
      </div>
    </section>
  )
}

function Token() {
  const state = useAuthState()
  const generation = useSession((session) => session?.generation)
  const expiresAt = useSession((session) => session?.expiresAt)
  const now = createNow()
  return (
    <>
      <div>
        <dt>State</dt>
        <dd data-testid="state" data-state={state()}>
          {stateWords(state())}
        </dd>
      </div>
      <div>
        <dt>Token</dt>
        <dd data-testid="generation">{generation() ? `no. ${generation()}` : 'none'}</dd>
      </div>
      <div>
        <dt>Lives for</dt>
        <dd data-testid="countdown">{timeWords((expiresAt() ?? now()) - now())}</dd>
      </div>
    </>
  )
}

function IdleWarning() {
  const signedIn = useSession((session) => session !== undefined)
  const now = createNow()
  const left = () => idleTime(now())
  return (
    <Show when={signedIn() && left() <= IDLE_WARNING}>
      <div data-testid="idle-warning" class="warning">
        <p role="status">Nothing happens here. You will be signed out soon.</p>
        <button data-testid="stay" type="button" onClick={stay}>
          Stay signed in <span data-testid="idle-time">({timeWords(left())} left)</span>
        </button>
      </div>
    </Show>
  )
}
