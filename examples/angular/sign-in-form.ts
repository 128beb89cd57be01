import { ChangeDetectionStrategy, Component, computed, signal } from '@angular/core'
import { signIn } from '../common/actions.ts'
import { lastUser } from '../common/session.ts'
import { injectAuthState } from './auth.ts'

/** A form for the user name and the password. */
@Component({
  selector: 'form[appSignIn]',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { '(submit)': 'submit($event)', '[attr.aria-busy]': 'busy()' },
  template: `
    <label>
      User name
      <input data-testid="username" name="username" autocomplete="username" [value]="user" required />
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
    <p data-testid="sign-in-error" class="error" role="alert">{{ error() }}</p>
    <button data-testid="sign-in" type="submit" class="primary" [disabled]="busy()">
      {{ busy() ? 'Signing in …' : 'Sign in' }}
    </button>
  `,
})
export class SignInForm {
  protected readonly user = lastUser()
  protected readonly error = signal('')
  readonly #state = injectAuthState()
  protected readonly busy = computed(() => this.#state() === 'authenticating')

  protected async submit(event: SubmitEvent) {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    this.error.set('')
    this.error.set(await signIn(String(form.get('username')), String(form.get('password'))))
  }
}
