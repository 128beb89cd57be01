/** @jsxImportSource solid-js */
import { createSignal } from 'solid-js'
import { signIn } from '../common/actions.ts'
import { lastUser } from '../common/session.ts'
import { useAuthState } from './auth.ts'

/** A form for the user name and the password. */
export function SignInForm() {
  const busy = useAuthState(({ state }) => state === 'authenticating')
  const [error, setError] = createSignal('')

  async function submit(event: SubmitEvent & { readonly currentTarget: HTMLFormElement }) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setError('')
    setError(await signIn(String(form.get('username')), String(form.get('password'))))
  }

  return (
    <form onSubmit={submit} aria-busy={busy()}>
      <label>
        User name
        <input data-testid="username" name="username" autocomplete="username" value={lastUser()} required />
      </label>
      <label>
        Password
        <input
          data-testid="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
      </label>
      <p data-testid="sign-in-error" class="error" role="alert">
        {error()}
      </p>
      <button data-testid="sign-in" type="submit" class="primary" disabled={busy()}>
        {busy() ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  )
}
