import { stay } from '../common/actions.ts'
import { auth, idleTime, lastUser } from '../common/session.ts'
import { drawn } from '../common/start.ts'
import { IDLE_WARNING, onTick } from '../common/time.ts'
import { stateWords, timeWords } from '../common/words.ts'
import { create, follow, type Part, within } from './part.ts'

const MARKUP = `
  <section class="card" aria-labelledby="session">
    <h2 id="session">Session</h2>
    <dl>
      <div><dt>User</dt><dd data-testid="user"></dd></div>
      <div><dt>State</dt><dd data-testid="state"></dd></div>
      <div><dt>Token</dt><dd data-testid="generation"></dd></div>
      <div><dt>Lives for</dt><dd data-testid="countdown"></dd></div>
    </dl>
    <div class="buttons"><button data-testid="sign-out" type="button">Sign out</button></div>
  </section>
`

const WARNING = `
  <div data-testid="idle-warning" class="warning">
    <p role="status">Nothing happens here. You will be signed out soon.</p>
    <button data-testid="stay" type="button">Stay signed in <span data-testid="idle-time"></span></button>
  </div>
`

/** Shows the user and the state of the token. */
export function createSessionCard(): Part {
  const element = create(MARKUP)
  const warning = create(WARNING)
  const write = (id: string, text: string) => {
    within(element, id).textContent = text
  }
  within(element, 'sign-out').onclick = () => void auth.signOut()
  within(warning, 'stay').onclick = () => void stay()

  const tell = (now: number) => {
    const { session } = auth
    write('countdown', timeWords((session?.expiresAt ?? now) - now))
    const left = idleTime(now)
    within(warning, 'idle-time').textContent = `(${timeWords(left)} left)`
    if (!session || left > IDLE_WARNING) warning.remove()
    else if (!warning.isConnected) element.querySelector('dl')?.after(warning)
  }
  const ends = [
    onTick(tell),
    follow(
      // A new token does not render it again.
      ({ session }) => session?.subject ?? lastUser(),
      (user) => write('user', drawn('user', user)),
    ),
    follow(
      ({ state }) => state,
      (state) => {
        write('state', stateWords(state))
        within(element, 'state').dataset.state = state
      },
    ),
    follow(
      ({ session }) => session,
      (session) => {
        write('generation', session ? `no. ${session.generation}` : 'none')
        tell(Date.now())
      },
    ),
  ]
  return {
    element,
    end() {
      for (const end of ends) end()
    },
  }
}
