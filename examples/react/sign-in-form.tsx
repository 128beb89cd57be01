import { type FormEvent, useState } from 'react'
import { signIn } from '../common/actions.ts'
import { lastUser } from '../common/session.ts'
import { useAuthState } from './auth.ts'

/** A form for the user name and the password. */
export function SignInForm() {
  const busy = useAuthState() === 'authenticating'
  const [error, setError] = useState('')

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setError('')
    setError(await signIn(String(form.get('username')), String(form.get('password'))))
  }

  return (
    <form onSubmit={submit} aria-busy={busy}>
      <label>
        User name
        <input
          data-testid="username"
          name="username"
          autoComplete="username"
          defaultValue={lastUser()}
          required
        />
      </label>
      <label>
        Password
        <input
          data-testid="password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
      </label>
      <p data-testid="sign-in-error" className="error" role="alert">
        {error}
      </p>
      <button data-testid="sign-in" type="submit" className="primary" disabled={busy}>
        {busy ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  )
}
