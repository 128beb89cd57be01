import { useEffect, useState } from 'react'
import { stay } from '../common/actions.ts'
import { idleTime, lastUser } from '../common/session.ts'
import { drawn } from '../common/start.ts'
import { IDLE_WARNING, onTick } from '../common/time.ts'
import { stateWords, timeWords } from '../common/words.ts'
import { useAuth, useAuthState, useSession } from './auth.ts'

/** Shows the user and the state of the token. */
export function SessionCard() {
  const auth = useAuth()
  return (
    <section className="card" aria-labelledby="session">
      <h2 id="session">Session</h2>
      <dl>
        <div>
          <dt>User</dt>
          <UserName />
        </div>
        <Token />
      </dl>
      <IdleWarning />
      <div className="buttons">
        <button data-testid="sign-out" type="button" onClick={() => auth.signOut()}>
          Sign out
        </button>
      </div>
    </section>
  )
}

/** Selects only the user, so a new token does not render it again. */
function UserName() {
  const user = useSession((session) => session?.subject ?? lastUser())
  return <dd data-testid="user">{drawn('user', user)}</dd>
}

function Token() {
  const state = useAuthState()
  const session = useSession()
  const now = useNow()
  return (
    <>
      <div>
        <dt>State</dt>
        <dd data-testid="state" data-state={state}>
          {stateWords(state)}
        </dd>
      </div>
      <div>
        <dt>Token</dt>
        <dd data-testid="generation">{session ? `no. ${session.generation}` : 'none'}</dd>
      </div>
      <div>
        <dt>Lives for</dt>
        <dd data-testid="countdown">{timeWords((session?.expiresAt ?? now) - now)}</dd>
      </div>
    </>
  )
}

function IdleWarning() {
  const signedIn = useSession((session) => session !== undefined)
  const left = idleTime(useNow())
  if (!signedIn || left > IDLE_WARNING) return null
  return (
    <div data-testid="idle-warning" className="warning">
      <p role="status">Nothing happens here. You will be signed out soon.</p>
      <button data-testid="stay" type="button" onClick={stay}>
        Stay signed in <span data-testid="idle-time">({timeWords(left)} left)</span>
      </button>
    </div>
  )
}

function useNow() {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => onTick(setNow), [])
  return now
}
