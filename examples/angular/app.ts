import { ChangeDetectionStrategy, Component } from '@angular/core'
import { injectAuthView } from './auth.ts'
import { Desk } from './desk.ts'
import { SignInAgain } from './sign-in-again.ts'
import { SignInForm } from './sign-in-form.ts'

@Component({
  selector: 'app-root',
  imports: [Desk, SignInAgain, SignInForm],
  changeDetection: ChangeDetectionStrategy.OnPush,
  styles: ':host { display: block }',
  template: `
    <header>
      <h1>authchart <span>in Angular</span></h1>
    </header>
    <main>
      @if (show.restoring()) {
        <p data-testid="view-restoring" class="restoring" role="status">Looking for your session …</p>
      }
      @if (show.signedOut()) {
        <section data-testid="view-signed-out" class="card narrow">
          <h2>Sign in</h2>
          <p class="hint">Any user name, with the password <code>correct</code>.</p>
          <form appSignIn></form>
        </section>
      }
      @if (show.signedIn()) {
        <div appDesk data-testid="view-signed-in" class="desk"></div>
      }
      @if (show.expired()) {
        <dialog appSignInAgain data-testid="expired-dialog" aria-labelledby="expired"></dialog>
      }
    </main>
  `,
})
export class App {
  protected readonly show = injectAuthView()
}
