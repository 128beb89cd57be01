import { signIn } from '../common/actions.ts'
import { lastUser } from '../common/session.ts'
import { create, follow, type Part, within } from './part.ts'

const MARKUP = `
  <form>
    <label>
      User name
      <input data-testid="username" name="username" autocomplete="username" required />
    </label>
    <label>
      Password
      <input data-testid="password" name="password" type="password" autocomplete="current-password" required />
    </label>
    <p data-testid="sign-in-error" class="error" role="alert"></p>
    <button data-testid="sign-in" type="submit" class="primary"></button>
  </form>
`

/** A form for the user name and the password. */
export function createSignInForm(): Part {
  const element = create(MARKUP) as HTMLFormElement
  const button = within(element, 'sign-in') as HTMLButtonElement
  const error = within(element, 'sign-in-error')
  ;(within(element, 'username') as HTMLInputElement).value = lastUser()

  element.onsubmit = async (event) => {
    event.preventDefault()
    const form = new FormData(element)
    error.textContent = ''
    error.textContent = await signIn(String(form.get('username')), String(form.get('password')))
  }
  const end = follow(
    ({ state }) => state === 'authenticating',
    (busy) => {
      element.ariaBusy = String(busy)
      button.disabled = busy
      button.textContent = busy ? 'Signing in …' : 'Sign in'
    },
  )
  return { element, end }
}
