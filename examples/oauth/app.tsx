import { SignedIn, SignedOut, useSession } from 'authchart/react'
import { useState } from 'react'
import { bind, inPopup, isBound, signOut } from './client.ts'
import { api, auth, oauth } from './session.ts'

export const App = ({ problem }: { problem: string }) => (
  <>
    <header>
      <h1>
        authchart <span>with OpenID Connect</span>
      </h1>
    </header>
    <main>
      <SignedOut>
        <SignIn problem={problem} />
      </SignedOut>
      <SignedIn>
        <Desk />
      </SignedIn>
    </main>
  </>
)

function SignIn({ problem }: { problem: string }) {
  const [error, setError] = useState(problem)
  const show = (reason: Error) => setError(reason.message)

  return (
    <section className="card narrow">
      <h2>Sign in</h2>
      <p className="hint">A real OpenID provider runs beside this page. It accepts any user name.</p>
      <p className="error" role="alert">
        {error}
      </p>
      <button
        type="button"
        className="primary"
        onClick={() => void auth.signIn({ via: 'redirect' }).catch(show)}
      >
        Sign in on the page of the provider
      </button>{' '}
      <button type="button" onClick={() => void auth.signIn(inPopup(oauth)).catch(show)}>
        Sign in in a popup
      </button>
      <p>
        <label>
          <input
            type="checkbox"
            checked={isBound}
            onChange={({ target }) => void bind(auth, target.checked)}
          />{' '}
          Bind the tokens to a key of this browser (DPoP)
        </label>
      </p>
    </section>
  )
}

function Desk() {
  const user = useSession((session) => session?.subject)
  const [answer, setAnswer] = useState('')
  return (
    <section className="card narrow">
      <h2>Signed in as {user}</h2>
      <p className="hint">
        A token lives for twenty seconds, and is{' '}
        {isBound ? 'bound to a key of this browser' : 'a bearer token'}. The panel below shows each refresh.
      </p>
      <button
        type="button"
        onClick={async () => {
          const response = await api(`${ISSUER}/me`)
          setAnswer(`${response.status} ${await response.text()}`)
        }}
      >
        Ask the provider who I am
      </button>{' '}
      <button type="button" onClick={() => void signOut(auth, oauth)}>
        Sign out
      </button>
      <p role="status">{answer}</p>
    </section>
  )
}
